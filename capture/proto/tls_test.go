package proto

import (
	"bytes"
	"crypto/tls"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"

	"telltale/capture"
)

// tlsExtension is one extension of a hello made by hand.
type tlsExtension struct {
	kind uint16
	body string
}

func tlsHostNames(names ...string) tlsExtension {
	var b cryptobyte.Builder
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, n := range names {
			b.AddUint8(0)
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(n)) })
		}
	})
	return tlsExtension{tlsServerName, string(b.BytesOrPanic())}
}

// tlsCraft returns a record with a ClientHello of one cipher, the extensions and
// behind them the bytes of tail, counted in the lengths.
func tlsCraft(tail string, extensions ...tlsExtension) []byte {
	var b cryptobyte.Builder
	b.AddUint8(tlsHandshake)
	b.AddUint16(0x0301)
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint8(tlsClientHello)
		b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint16(0x0303)
			b.AddBytes(make([]byte, 32))
			b.AddUint8(0)
			b.AddBytes([]byte{0, 2, 0x13, 0x01, 1, 0})
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
				for _, e := range extensions {
					b.AddUint16(e.kind)
					b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(e.body)) })
				}
				b.AddBytes([]byte(tail))
			})
		})
	})
	return b.BytesOrPanic()
}

// TestTLSServerName covers what hostile and odd clients put into server_name and
// around it.
func TestTLSServerName(t *testing.T) {
	tests := []struct {
		name   string
		hello  []byte
		want   string
		hasSNI bool
	}{
		{"no extension", tlsCraft(""), "", false},
		{"plain", tlsCraft("", tlsHostNames("a.example")), "a.example", true},
		{"trailing dot and case", tlsCraft("", tlsHostNames("A.Example.")), "a.example", true},
		{"bytes that need escapes", tlsCraft("", tlsHostNames("a\x00\xff b")), `a\000\255\032b`, true},
		{"first of several", tlsCraft("", tlsHostNames("a.example", "b.example")), "a.example", true},
		{"first of two extensions", tlsCraft("", tlsHostNames("a.example"), tlsHostNames("b.example")), "a.example", true},
		{"another name type first", tlsCraft("", tlsExtension{0, "\x00\x0a\x01\x00\x02xy\x00\x00\x02ab"}), "ab", true},
		{"empty name", tlsCraft("", tlsHostNames("")), "", true},
		{"empty extension", tlsCraft("", tlsExtension{0, ""}), "", true},
		{"list longer than the extension", tlsCraft("", tlsExtension{0, "\x00\x09\x00\x00\x02ab"}), "", true},
		{"name longer than the list", tlsCraft("", tlsExtension{0, "\x00\x05\x00\x00\x09ab"}), "", true},
		{"longer than any DNS name", tlsCraft("", tlsHostNames(strings.Repeat("\x01", 300))), strings.Repeat(`\001`, 300), true},
		{"malformed extension behind it", tlsCraft("\x00\x2b\xff\xff\x01", tlsHostNames("a.example")), "a.example", true},
		{"malformed list behind it", tlsCraft("", tlsHostNames("a.example"), tlsExtension{tlsALPN, "\xff\xff\x02h2"}), "a.example", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := tlsParseOne(t, tt.hello)
			if string(o.Name) != tt.want || o.TLS.HasSNI != tt.hasSNI {
				t.Errorf("name %q, HasSNI %v, want %q, %v", o.Name, o.TLS.HasSNI, tt.want, tt.hasSNI)
			}
		})
	}
}

// TestTLSExtensions covers versions and the encrypted server names.
func TestTLSExtensions(t *testing.T) {
	o := tlsParseOne(t, tlsCraft("",
		tlsExtension{tlsSupportedVersions, "\x08\x1a\x1a\x03\x03\x03\x04\x03\x02"},
		tlsExtension{tlsESNI, "\x00"},
		tlsExtension{tlsECH, "\x00\x00\x01\x00\x03\x2a\x00\x02kk\x00\x03ppp"}))
	if !slices.Equal(o.TLS.Versions, []uint16{0x0303, 0x0304, 0x0302}) || o.TLS.Version != 0x0304 {
		t.Errorf("versions %#x, highest %#x", o.TLS.Versions, o.TLS.Version)
	}
	want := capture.ECH{Present: true, KDF: 1, AEAD: 3, ConfigID: 42, PayloadLen: 3}
	if !o.TLS.ESNI || o.TLS.ECH != want {
		t.Errorf("ESNI %v, ECH %+v, want %+v", o.TLS.ESNI, o.TLS.ECH, want)
	}
	for body, want := range map[string]capture.ECH{
		"\x01":                     {Present: true, Inner: true},
		"":                         {Present: true},
		"\x07rest":                 {Present: true},
		"\x00\x00\x01\x00\x03\x2a": {Present: true},
	} {
		if got := tlsParseOne(t, tlsCraft("", tlsExtension{tlsECH, body})).TLS.ECH; got != want {
			t.Errorf("ECH of %q is %+v, want %+v", body, got, want)
		}
	}
}

// TestTLSCutHello cuts a hello everywhere: it is reported if its server_name is whole
// and no more comes, without a JA4 that would be wrong.
func TestTLSCutHello(t *testing.T) {
	hello := tlsMakeHello(t, &tls.Config{ServerName: "cut.example"})
	nameEnd := bytes.Index(hello, []byte("cut.example")) + len("cut.example")
	for n := 1; n < len(hello); n++ {
		log := new(capture.Log)
		if _, s := tlsParseClient(hello[:n], false, log); s != Incomplete || log.Len() != 0 {
			t.Fatalf("%d bytes, more to come: status %d with %d observations", n, s, log.Len())
		}
		used, s := tlsParseClient(hello[:n], true, log)
		if n < nameEnd {
			if s != Incomplete || log.Len() != 0 {
				t.Fatalf("%d bytes without the name: status %d with %d observations", n, s, log.Len())
			}
			continue
		}
		if s != Done || used != n || log.Len() != 1 {
			t.Fatalf("%d bytes with the name: parse returned %d, %d with %d observations", n, used, s, log.Len())
		}
		if o := log.At(0); string(o.Name) != "cut.example" || o.TLS.JA4 != [36]byte{} || int(o.TLS.Length) != len(hello)-tlsRecordHeader {
			t.Fatalf("%d bytes: name %q, ja4 %q, length %d", n, o.Name, o.TLS.JA4, o.TLS.Length)
		}
	}
}

// TestTLSInterrupted puts an alert record into the middle of a hello.
func TestTLSInterrupted(t *testing.T) {
	hello := tlsCraft("", tlsHostNames("a.example"), tlsExtension{21, strings.Repeat("\x00", 100)})
	for _, at := range []int{20, 100} {
		b := tlsSplit(hello, at, false)[:tlsRecordHeader+at]
		b = append(b, tlsAlert, 3, 1, 0, 2, 1, 0)
		log := new(capture.Log)
		_, s := tlsParseClient(b, false, log)
		if want := map[int]Status{20: Reject, 100: Done}[at]; s != want || log.Len() != map[int]int{20: 0, 100: 1}[at] {
			t.Errorf("interrupted after %d bytes: status %d with %d observations, want %d", at, s, log.Len(), want)
		}
	}
}

func tlsHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tlsV2Hello is a ClientHello in the SSL 2.0 format that offers TLS 1.0.
const tlsV2Hello = "801c 01 0301 0003 0000 0010 00002f 000102030405060708090a0b0c0d0e0f"

func TestTLSMatchClient(t *testing.T) {
	tests := []struct {
		name, b string
		want    Verdict
	}{
		{"one byte", "16", More},
		{"no handshake type yet", "1603010200", More},
		{"hello", "160301020001", Yes},
		{"record of one byte", "160301000101", Yes},
		{"ServerHello", "160303004a02", No},
		{"empty record", "160301000001", No},
		{"record too long", "160301480101", No},
		{"no such version", "160305", No},
		{"DTLS", "16fefd", No},
		{"HTTP", "474554", No},
		{"SSL 2.0 format", tlsV2Hello, Yes},
		{"SSL 2.0 format, short", "801c010301", More},
		{"SSL 2.0 format, one byte", "80", More},
		{"SSL 2.0 format, lengths disagree", "801d 01 0301 0003 0000 0010 00002f", No},
		{"SSL 2.0 format, a third of a cipher", "801d 01 0301 0004 0000 0010 00002f00", No},
		{"SSL 2.0 format, short challenge", "801b 01 0301 0003 0000 000f 00002f", No},
		{"SSL 2.0 format, no such version", "801c010401", No},
	}
	for _, tt := range tests {
		if got := tlsMatchClient(tlsHex(t, tt.b)); got != tt.want {
			t.Errorf("%s: verdict %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestTLSV2Hello(t *testing.T) {
	b := tlsHex(t, tlsV2Hello)
	o := tlsParseOne(t, b)
	if o.TLS.Version != 0x0301 || o.TLS.HasSNI || len(o.Name) != 0 || o.TLS.Length != 28 {
		t.Errorf("observation %q %+v", o.Name, o.TLS)
	}
	if _, s := tlsParseClient(b[:5], false, new(capture.Log)); s != Incomplete {
		t.Errorf("status of a short one is %d, want Incomplete", s)
	}
}

func TestTLSServer(t *testing.T) {
	const (
		hello   = "160303 0031 0200002d 0303" // its first bytes
		warning = "150301 0002 0170"
		fatal   = "150303 0002 0228"
	)
	resumed := "160303 0031 0200002d 0303" + strings.Repeat("00", 43) + "140303000101"
	tests := []struct {
		name, b string
		match   Verdict
		n       int
		want    Status
	}{
		{"ServerHello", hello, Yes, 0, Answered},
		{"ServerHello, then ChangeCipherSpec", resumed, Yes, 54, Done},
		{"ServerHello in one-byte records", "1603030001 02 1603030001 00 1603030001 00 1603030001 2d 1603030001 03 1603030001 03", Yes, 0, Answered},
		{"ServerHello cut", "160303003102", Yes, 0, Incomplete},
		{"header cut", "160303", More, 0, Incomplete},
		{"implausible length", "160303 0031 02ff002d 0303", Yes, 0, Reject},
		{"Certificate", "160303 0031 0b", No, 0, Reject},
		{"fatal alert", fatal, Yes, 7, Denied},
		{"warning, then ServerHello", warning + hello, Yes, 0, Answered},
		{"warning, then fatal alert", warning + fatal, Yes, 14, Denied},
		{"warning alone", warning, Yes, 0, Incomplete},
		{"alert cut", "150303 0002 02", Yes, 0, Incomplete},
		{"encrypted alert", "150303 001a 00", No, 0, Reject},
		{"alert of another length", "150303 001a 02", No, 0, Reject},
		{"application data", "170303 0031 02", No, 0, Reject},
		{"HTTP", "485454502f312e31", No, 0, Reject},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := tlsHex(t, tt.b)
			if got := tlsMatchServer(b); got != tt.match {
				t.Errorf("verdict %d, want %d", got, tt.match)
			}
			log := new(capture.Log)
			if n, s := tlsParseServer(b, false, log); n != tt.n || s != tt.want || log.Len() != 0 {
				t.Errorf("parse returned %d, %d with %d observations, want %d, %d", n, s, log.Len(), tt.n, tt.want)
			}
		})
	}
}

// TestTLSRegistered checks that both sides are found in the registry.
func TestTLSRegistered(t *testing.T) {
	var from []Role
	for _, s := range Streams() {
		if s.Proto == capture.ProtoTLS {
			from = append(from, s.From)
		}
	}
	if !slices.Contains(from, Client) || !slices.Contains(from, Server) {
		t.Errorf("TLS is registered for roles %d", from)
	}
}

// tlsManyHello is a hello with more ciphers, extensions and signature algorithms
// than fit on the stack.
func tlsManyHello() []byte {
	extensions := []tlsExtension{tlsHostNames("many.example"), {tlsSignatureAlgorithms, "\x02\x00" + strings.Repeat("\x04\x03", 256)}}
	for i := range 300 {
		extensions = append(extensions, tlsExtension{uint16(1000 + i), ""})
	}
	return tlsCraft("", extensions...)
}

func TestTLSClientAllocates(t *testing.T) {
	whole := tlsMakeHello(t, &tls.Config{ServerName: "alloc.example", NextProtos: []string{"h2", "http/1.1"}})
	for name, b := range map[string][]byte{
		"one record":    whole,
		"many records":  tlsSplit(whole, 100, false),
		"cut":           whole[:len(whole)-1],
		"long lists":    tlsManyHello(),
		"SSL 2.0":       tlsHex(t, tlsV2Hello),
		"long name":     tlsCraft("", tlsHostNames(strings.Repeat("a", 400))),
		"other traffic": []byte("GET / HTTP/1.1\r\n"),
	} {
		var log capture.Log
		got := testing.AllocsPerRun(100, func() {
			log.Reset()
			tlsMatchClient(b)
			tlsParseClient(b, true, &log)
		})
		if got != 0 {
			t.Errorf("%s: %v allocations a hello", name, got)
		}
	}
}

func BenchmarkTLSClientHello(b *testing.B) {
	for name, config := range map[string]*tls.Config{
		"classic":      {ServerName: "bench.example", NextProtos: []string{"h2"}, CurvePreferences: []tls.CurveID{tls.X25519}},
		"post-quantum": {ServerName: "bench.example", NextProtos: []string{"h2"}},
	} {
		hello := tlsMakeHello(b, config)
		b.Run(name, func(b *testing.B) {
			var log capture.Log
			b.ReportAllocs()
			b.SetBytes(int64(len(hello)))
			for b.Loop() {
				log.Reset()
				tlsParseClient(hello, false, &log)
			}
		})
	}
}

func BenchmarkJA4(b *testing.B) {
	hello := tlsMakeHello(b, &tls.Config{ServerName: "bench.example", NextProtos: []string{"h2"}})
	var h tlsHello
	if !h.parse(hello[tlsRecordHeader+tlsHandshakeHeader:], true) {
		b.Fatal("the hello does not parse")
	}
	var log capture.Log
	var ja4 [36]byte
	b.ReportAllocs()
	for b.Loop() {
		log.Reset()
		ja4Write(&ja4, 't', &h, &log)
	}
}
