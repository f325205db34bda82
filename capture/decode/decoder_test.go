package decode

import (
	"strings"
	"testing"
	"time"

	"telltale/capture"
)

func TestReasonNames(t *testing.T) {
	seen := map[string]Reason{}
	for r := range ReasonCount {
		name := r.String()
		if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			t.Errorf("reason %d has the name %q, want a lower-case word", r, name)
		}
		if other, ok := seen[name]; ok {
			t.Errorf("reasons %d and %d are both called %s", other, r, name)
		}
		seen[name] = r
	}
	if got := ReasonCount.String(); got != "unknown" {
		t.Errorf("a value that is none is called %s", got)
	}
}

func TestStatsCountEveryPacket(t *testing.T) {
	d := New(Config{})
	got, _ := feed(d, ip4(6, tcpBytes("hi")), ip4(6, tcpBytes("")), ip4(47, words(0, 0x1234, 0, 0)), []byte{0x45}, frag4(0, true, make([]byte, 8)))
	if want := "ok ok encapsulated_gre truncated fragment_held"; got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
	want := [ReasonCount]uint64{OK: 2, EncapsulatedGRE: 1, Truncated: 1, FragmentHeld: 1}
	if got := d.Stats().Reasons; got != want {
		t.Errorf("counted %v, want %v", got, want)
	}
	if f := d.Stats().Fragments; f.Fragments != 1 || f.Begun != 1 || f.Held != 1 || f.HeldBytes != pageBytes {
		t.Errorf("wrong fragment counts: %+v", f)
	}
}

func TestConfigValidate(t *testing.T) {
	if err := (Config{}).Validate(); err != nil {
		t.Errorf("defaults are refused: %v", err)
	}
	bad := Config{MaxDatagrams: -1, MaxBytes: 1000, Timeout: -time.Second}
	err := bad.Validate()
	if err == nil {
		t.Fatal("nothing wrong with a bad configuration")
	}
	for _, word := range []string{"datagrams", "memory", "timeout"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("no word of the %s in: %v", word, err)
		}
	}
	if r := New(bad).Decode(packet(capture.LinkRaw, frag4(0, true, make([]byte, 8))), &Segment{}); r != FragmentHeld {
		t.Errorf("with a bad configuration: %v, want the defaults at work", r)
	}
}

// checkCopy: the window for copies changes nothing of a packet that comes once; one that
// comes again at once is a copy, or of no segment.
func checkCopy(t *testing.T, p *capture.Packet) {
	t.Helper()
	d, plain := New(Config{MaxDatagrams: 2, MaxBytes: minBytes, Dedup: DefaultDedup}), New(Config{MaxDatagrams: 2, MaxBytes: minBytes})
	var s, want Segment
	first, r := d.Decode(p, &s), plain.Decode(p, &want)
	if first != r || r == OK && summary(&s) != summary(&want) {
		t.Fatalf("%v %s, without copies %v %s", first, summary(&s), r, summary(&want))
	}
	again := d.Decode(p, &s)
	if again != Duplicate && (r == OK || r == Unreachable || again != plain.Decode(p, &want)) {
		t.Fatalf("%v, then %v", r, again)
	}
}

func FuzzDecode(f *testing.F) {
	v4, v6 := ip4(6, tcpBytes("hi")), ip6(0, extensionBytes(17, 1, udpBytes("hi")))
	f.Add(uint32(1), uint32(0), ether(0x8100, words(5, 0x0800), v4))
	f.Add(uint32(1), uint32(0), ether(60, []byte{0xaa, 0xaa, 3, 0, 0, 0}, words(0x86dd), v6))
	f.Add(uint32(113), uint32(200), sll(1, 0x0800, ip4(1, icmpBytes(3, 3, v4))))
	f.Add(uint32(276), uint32(0), sll2(1, 0x86dd, ip6(58, icmpBytes(1, 4, v6))))
	f.Add(uint32(0), uint32(0), join(littleEndian(30), v6))
	f.Add(uint32(108), uint32(0), join(bigEndian(2), v4))
	f.Add(uint32(101), uint32(0), ip4(51, ah(6, tcpBytes("hi"))))
	f.Add(uint32(12), uint32(0), frag6(8, true, make([]byte, 16)))
	f.Add(uint32(14), uint32(0), frag4(0, true, make([]byte, 16)))
	f.Add(uint32(228), uint32(70000), put(ip4(17, udpBytes("hi")), 2, 0))
	f.Add(uint32(229), uint32(0), ip6(44, part6(6, 1, 0, false, tcpBytes("hi"))))
	for _, w := range allWrapped() {
		f.Add(uint32(w.link), uint32(0), w.data)
	}
	f.Fuzz(func(t *testing.T, link, length uint32, b []byte) {
		p := &capture.Packet{Data: b, Length: length, Link: capture.LinkType(link)}
		checkCopy(t, p)
		d := New(Config{MaxDatagrams: 2, MaxBytes: minBytes})
		var s, again Segment
		r := d.Decode(p, &s)
		if r >= ReasonCount {
			t.Fatalf("reason %d does not exist", r)
		}
		if other := d.Decode(p, &again); r == OK && (other != OK || summary(&s) != summary(&again)) {
			t.Fatalf("%s, then %v %s", summary(&s), other, summary(&again))
		}
		if s.Depth > maxDepth {
			t.Fatalf("%d headers deep", s.Depth)
		}
		if r != OK && r != Unreachable {
			return
		}
		if s.Tunnel == NoTunnel && (s.TunnelID != 0 || s.OuterSrc != [16]byte{} || s.OuterDst != [16]byte{}) {
			t.Fatalf("no tunnel, but %+v", s)
		}
		if s.Protocol != protocolTCP && s.Protocol != protocolUDP || s.Reassembled {
			t.Fatalf("%v with %+v", r, s)
		}
		if len(s.Payload) > int(s.PayloadLen) || len(s.Payload) > len(b) {
			t.Fatalf("payload of %d bytes, wire length %d, packet of %d", len(s.Payload), s.PayloadLen, len(b))
		}
	})
}

// TestStatsSpan: every packet counts for the time that was looked at, also one that says
// nothing, and the parts of several Decoders lie anywhere.
func TestStatsSpan(t *testing.T) {
	var s Segment
	var sum Stats
	for _, times := range [][]int64{{}, {50, 20, 30}, {70}, {}, {40}} {
		d := New(Config{})
		for _, at := range times {
			d.Decode(&capture.Packet{Time: at}, &s)
		}
		sum.Add(d.Stats())
	}
	if sum.First != 20 || sum.Last != 70 {
		t.Errorf("from %d to %d, the packets are from 20 to 70", sum.First, sum.Last)
	}
}
