package proto

import (
	"encoding/binary"
	"strings"
	"testing"

	"telltale/capture"
)

// quicGoogleTag is one entry of a CHLO made by hand.
type quicGoogleTag struct{ name, value string }

func quicGoogleHello(tags ...quicGoogleTag) string {
	var index, values []byte
	for _, tag := range tags {
		values = append(values, tag.value...)
		index = append(index, tag.name...)
		index = binary.LittleEndian.AppendUint32(index, uint32(len(values)))
	}
	return quicGoogleCHLO + string([]byte{byte(len(tags)), 0, 0, 0}) + string(index) + string(values)
}

const (
	quicPublicHeader = "\x0d8 bytes!Q039\x01" + "twelve bytes" + "\xa0\x01\x00\x00"
	quicQ046Header   = "\xc3Q046\x508 bytes!\x00\x00\x00\x01" + "twelve bytes" + "\xa0\x01\x00\x00"
)

func TestQUICGoogle(t *testing.T) {
	pad, sni := quicGoogleTag{"PAD\x00", strings.Repeat("-", 900)}, quicGoogleTag{"SNI\x00", "WWW.Example.com"}
	hello := quicGoogleHello(pad, sni, quicGoogleTag{"VER\x00", "Q039"})
	tests := []struct {
		name    string
		b       string
		match   bool
		fail    bool
		want    string
		version string
	}{
		{"Q039", quicPublicHeader + hello, true, false, "www.example.com", "Q039"},
		{"Q046", quicQ046Header + hello, true, false, "www.example.com", "Q046"},
		{"no server name", quicPublicHeader + quicGoogleHello(pad), true, false, "", "Q039"},
		{"cut in the name", quicPublicHeader + hello[:len(hello)-6], true, true, "", ""},
		{"cut in the index", quicPublicHeader + hello[:20], true, true, "", ""},
		{"cut behind the tag", quicPublicHeader + hello[:4], true, true, "", ""},
		{"more tags than there are", quicPublicHeader + quicGoogleCHLO + "\xff\xff\x00\x00", true, true, "", ""},
		{"offsets that fall", quicPublicHeader + quicGoogleCHLO + "\x02\x00\x00\x00PAD\x00\x09\x00\x00\x00SNI\x00\x01\x00\x00\x00123456789", true, true, "", ""},
		{"Q050, which encrypts", strings.Replace(quicQ046Header, "Q046", "Q050", 1) + hello, false, false, "", ""},
		{"server's answer", strings.Replace(quicPublicHeader, "\x0d", "\x0c", 1) + hello, false, false, "", ""},
		{"no CHLO", quicPublicHeader + strings.Repeat("x", 1200), false, false, "", ""},
		{"short", "\x0d8 b", false, false, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			version, message := quicGoogleMessage([]byte(tt.b))
			if (message != nil) != tt.match || tt.version != "" && version != binary.BigEndian.Uint32([]byte(tt.version)) {
				t.Errorf("version %#x, message of %d bytes, want one: %v", version, len(message), tt.match)
			}
			if !tt.match {
				return
			}
			if IsQUICLong([]byte(tt.b)) {
				t.Error("it is taken for an encrypted packet too")
			}
			var log capture.Log
			if err := quicParseGoogle([]byte(tt.b), false, &log); (err != nil) != tt.fail || (log.Len() == 1) == tt.fail {
				t.Fatalf("error %v with %d observations", err, log.Len())
			}
			if !tt.fail && string(log.At(0).Name) != tt.want {
				t.Errorf("name %q, want %q", log.At(0).Name, tt.want)
			}
		})
	}
}

func TestQUICGoogleAllocates(t *testing.T) {
	b := []byte(quicPublicHeader + quicGoogleHello(quicGoogleTag{"SNI\x00", "www.example.com"}))
	var log capture.Log
	if n := testing.AllocsPerRun(100, func() {
		log.Reset()
		if err := quicParseGoogle(b, false, &log); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a hello", n)
	}
}

// TestQUICGoogleRegistered checks that the registry leads a datagram to the parser.
func TestQUICGoogleRegistered(t *testing.T) {
	b := []byte(quicPublicHeader + quicGoogleHello(quicGoogleTag{"SNI\x00", "www.example.com"}))
	for _, d := range Datagrams() {
		if d.Match(50000, 443, b) {
			if d.Proto != capture.ProtoQUIC {
				t.Errorf("%v takes a gQUIC hello", d.Proto)
			}
			return
		}
	}
	t.Error("no protocol takes a gQUIC hello")
}
