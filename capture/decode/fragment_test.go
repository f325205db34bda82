package decode

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"testing"

	"telltale/capture"
)

// feed decodes IPv4 or IPv6 packets a second apart and returns the reasons on one
// line and the last Segment.
func feed(d *Decoder, packets ...[]byte) (string, Segment) {
	var reasons []string
	var s Segment
	for i, b := range packets {
		p := packet(capture.LinkRaw, b)
		p.Ordinal, p.Time = uint64(i+1), int64(i)*1e9
		reasons = append(reasons, d.Decode(p, &s).String())
	}
	return strings.Join(reasons, " "), s
}

func frag4(offset int, more bool, data []byte) []byte { return ip4Part(17, 7, offset, more, data) }

func frag6(offset int, more bool, data []byte) []byte {
	return ip6(44, part6(17, 7, offset, more, data))
}

func TestFragments(t *testing.T) {
	const text = "0123456789abcdefghijklmnopqrstuvwxyz"
	const mixed = "0123456789abcdef!!!!!!!!opqrstuvwxyz" // the data that came first
	whole := udpBytes(text)
	other := bytes.Repeat([]byte{'!'}, 64)
	type build func(offset int, more bool, data []byte) []byte
	tests := []struct {
		name  string
		parts func(f build) [][]byte
		v4    string // reasons
		v6    string
		text  string // if not the original
	}{
		{"in order", func(f build) [][]byte {
			return [][]byte{f(0, true, whole[:16]), f(16, true, whole[16:24]), f(24, false, whole[24:])}
		}, "fragment_held fragment_held ok", "fragment_held fragment_held ok", ""},
		{"last first", func(f build) [][]byte {
			return [][]byte{f(24, false, whole[24:]), f(16, true, whole[16:24]), f(0, true, whole[:16])}
		}, "fragment_held fragment_held ok", "fragment_held fragment_held ok", ""},
		{"duplicates", func(f build) [][]byte {
			return [][]byte{f(24, false, whole[24:]), f(24, false, whole[24:]), f(0, true, whole[:24])}
		}, "fragment_held fragment_dropped ok", "fragment_held fragment_dropped ok", ""},
		{"overlap with other data", func(f build) [][]byte {
			return [][]byte{f(0, true, whole[:24]), f(16, true, other[:16]), f(16, true, whole[16:32]), f(32, false, whole[32:])}
		}, "fragment_held fragment_held fragment_dropped ok", "fragment_held fragment_dropped fragment_dropped fragment_dropped", mixed},
		{"same place, other data", func(f build) [][]byte {
			return [][]byte{f(0, true, whole[:24]), f(0, true, other[:24]), f(24, false, whole[24:])}
		}, "fragment_held fragment_dropped ok", "fragment_held fragment_dropped fragment_dropped", ""},
		{"two ends", func(f build) [][]byte {
			return [][]byte{f(24, false, whole[24:]), f(32, false, whole[32:40]), f(0, true, whole[:24])}
		}, "fragment_held fragment_dropped ok", "fragment_held fragment_dropped fragment_dropped", ""},
		{"data behind the end", func(f build) [][]byte {
			return [][]byte{f(24, false, whole[24:]), f(40, true, other[:8]), f(0, true, whole[:24])}
		}, "fragment_held fragment_dropped ok", "fragment_held fragment_dropped fragment_dropped", ""},
		{"end before the data", func(f build) [][]byte {
			return [][]byte{f(40, true, other[:8]), f(24, false, whole[24:36]), f(0, true, whole[:24])}
		}, "fragment_held fragment_dropped fragment_held", "fragment_held fragment_dropped fragment_dropped", ""},
		{"without data", func(f build) [][]byte {
			return [][]byte{f(0, true, whole[:24]), f(24, false, nil), f(24, false, whole[24:])}
		}, "fragment_held fragment_dropped ok", "fragment_held fragment_dropped ok", ""},
		{"beyond 64 KiB", func(f build) [][]byte {
			return [][]byte{f(65528, false, other[:8]), f(0, true, whole[:24]), f(24, false, whole[24:])}
		}, "fragment_dropped fragment_held ok", "fragment_dropped fragment_held ok", ""},
	}
	for _, test := range tests {
		for _, version := range []struct {
			name string
			f    build
			want string
		}{{"IPv4", frag4, test.v4}, {"IPv6", frag6, test.v6}} {
			t.Run(test.name+"/"+version.name, func(t *testing.T) {
				packets := test.parts(version.f)
				got, s := feed(New(Config{}), packets...)
				if got != version.want {
					t.Fatalf("got  %s\nwant %s", got, version.want)
				}
				if !strings.HasSuffix(got, " ok") {
					return
				}
				if string(s.Payload) != cmp.Or(test.text, text) || s.PayloadLen != 36 || !s.Reassembled || s.Packet != uint64(len(packets)) {
					t.Errorf("wrong datagram: %+v", s)
				}
			})
		}
	}
}

// A last fragment may bring no data, only the end. On IPv6 that is an overlap.
func TestEndInsideTheData(t *testing.T) {
	whole := udpBytes("0123456789abcdef")
	for _, test := range []struct {
		f    func(int, bool, []byte) []byte
		want string
	}{{frag4, "fragment_held ok"}, {frag6, "fragment_held fragment_dropped"}} {
		got, _ := feed(New(Config{}), test.f(0, true, whole), test.f(16, false, whole[16:]))
		if got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

// What is not a multiple of eight bytes is cut off an IPv4 fragment and refused of IPv6.
func TestFragmentOfOddLength(t *testing.T) {
	whole := udpBytes("0123456789abcdef")
	for _, test := range []struct {
		f    func(int, bool, []byte) []byte
		want string
	}{{frag4, "fragment_held ok"}, {frag6, "fragment_dropped fragment_held"}} {
		got, _ := feed(New(Config{}), test.f(0, true, whole[:19]), test.f(16, false, whole[16:]))
		if got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

func TestFragmentsBelongTogether(t *testing.T) {
	whole := udpBytes("0123456789abcdef")
	change := func(b []byte, offset int, value byte) []byte {
		b[offset] = value
		return b
	}
	tests := []struct {
		name  string
		first []byte
		last  []byte
		want  string
	}{
		{"IPv4", frag4(0, true, whole[:16]), frag4(16, false, whole[16:]), "fragment_held ok"},
		{"other id", frag4(0, true, whole[:16]), ip4Part(17, 8, 16, false, whole[16:]), "fragment_held fragment_held"},
		{"other protocol", frag4(0, true, whole[:16]), ip4Part(6, 7, 16, false, whole[16:]), "fragment_held fragment_held"},
		{"other source", frag4(0, true, whole[:16]), change(frag4(16, false, whole[16:]), 15, 9), "fragment_held fragment_held"},
		{"other destination", frag4(0, true, whole[:16]), change(frag4(16, false, whole[16:]), 19, 9), "fragment_held fragment_held"},
		{"IPv6, other type in a later fragment", frag6(0, true, whole[:16]), ip6(44, part6(60, 7, 16, false, whole[16:])), "fragment_held ok"},
		{"IPv6, other id", frag6(0, true, whole[:16]), ip6(44, part6(17, 8, 16, false, whole[16:])), "fragment_held fragment_held"},
	}
	for _, test := range tests {
		if got, _ := feed(New(Config{}), test.first, test.last); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

func TestFragmentsOfTwoVLANs(t *testing.T) {
	whole := udpBytes("0123456789abcdef")
	for _, version := range []struct {
		ether uint16
		f     func(int, bool, []byte) []byte
	}{{0x0800, frag4}, {0x86dd, frag6}} {
		d := New(Config{})
		var s Segment
		frame := func(vlan uint16, b []byte) *capture.Packet {
			return packet(capture.LinkEthernet, ether(0x8100, words(vlan, version.ether), b))
		}
		d.Decode(frame(1, version.f(0, true, whole[:16])), &s)
		if r := d.Decode(frame(2, version.f(16, false, whole[16:])), &s); r != FragmentHeld {
			t.Errorf("%#x, fragment of another VLAN: %v, want fragment_held", version.ether, r)
		}
		if r := d.Decode(frame(1, version.f(16, false, whole[16:])), &s); r != OK || s.VLAN != 1 {
			t.Errorf("%#x, fragment of the same VLAN: %v in %d, want ok in 1", version.ether, r, s.VLAN)
		}
	}
}

func TestFragmentsNotReassembled(t *testing.T) {
	data := make([]byte, 16)
	tests := []struct {
		name string
		data []byte
		want Reason
	}{
		{"SCTP", ip4Part(132, 1, 0, true, data), OtherTransport},
		{"ESP", ip4Part(50, 1, 0, true, data), EncapsulatedESP},
		{"ESP on IPv6", ip6(44, part6(50, 1, 0, true, data)), EncapsulatedESP},
		{"GRE", ip4Part(47, 1, 0, true, data), FragmentHeld},
		{"not captured whole", frag4(0, true, data)[:30], FragmentDropped},
		{"not captured whole on IPv6", frag6(0, true, data)[:60], FragmentDropped},
		{"fragment header cut", frag6(0, true, data)[:47], Truncated},
	}
	for _, test := range tests {
		if r, _ := decodeOne(capture.LinkRaw, test.data); r != test.want {
			t.Errorf("%s: %v, want %v", test.name, r, test.want)
		}
	}
}

// Headers behind the fragment header are read of the whole packet.
func TestFragmentedExtensions(t *testing.T) {
	whole := extensionBytes(60, 3, extensionBytes(6, 1, tcpBytes("hi")))
	part := func(offset int, more bool, data []byte) []byte {
		return ip6(0, extensionBytes(44, 0, part6(60, 3, offset, more, data)))
	}
	got, s := feed(New(Config{}), part(0, true, whole[:24]), part(24, false, whole[24:]))
	if got != "fragment_held ok" || summary(&s) != tcp6 {
		t.Errorf("%s, %s; want fragment_held ok, %s", got, summary(&s), tcp6)
	}
}

func TestFragmentTimeout(t *testing.T) {
	whole := udpBytes("0123456789abcdef")
	for _, test := range []struct {
		after int64
		want  Reason
		out   uint64
	}{{30e9, OK, 0}, {30e9 + 1, FragmentHeld, 1}, {-30e9, OK, 0}, {-30e9 - 1, FragmentHeld, 1}} {
		d := New(Config{})
		var s Segment
		p := packet(capture.LinkRaw, frag4(0, true, whole[:16]))
		d.Decode(p, &s)
		p.Data, p.Time = frag4(16, false, whole[16:]), p.Time+test.after
		if r, out := d.Decode(p, &s), d.Stats().Fragments.TimedOut; r != test.want || out != test.out {
			t.Errorf("after %d ns: %v, %d timed out; want %v, %d", test.after, r, out, test.want, test.out)
		}
	}
}

func TestOldestDatagramIsEvicted(t *testing.T) {
	d := New(Config{MaxDatagrams: 2})
	first := func(id uint16) []byte { return ip4Part(17, id, 0, true, udpBytes("01234567")) }
	last := func(id uint16) []byte { return ip4Part(17, id, 16, false, []byte("89abcdef")) }
	got, _ := feed(d, first(1), first(2), first(3), last(2), last(3), last(1))
	if want := "fragment_held fragment_held fragment_held ok ok fragment_held"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if s := d.Stats().Fragments; s.Evicted != 1 || s.Held != 1 || s.Complete != 2 {
		t.Errorf("wrong counts: %+v", s)
	}
}

// Each datagram takes the pages its data lies in; the oldest makes room, even for
// one that was begun before it but one.
func TestFragmentMemoryIsBounded(t *testing.T) {
	d := New(Config{MaxBytes: minBytes})
	var s Segment
	spread := func(id uint16) {
		for offset := 0; offset < 60000; offset += pageBytes {
			d.Decode(packet(capture.LinkRaw, ip4Part(17, id, offset, true, make([]byte, 8))), &s)
		}
	}
	d.Decode(packet(capture.LinkRaw, ip4Part(17, 1000, 0, true, make([]byte, 8))), &s)
	for id := range uint16(10) {
		spread(id)
		if held := d.Stats().Fragments.HeldBytes; held > minBytes {
			t.Fatalf("%d bytes held, more than %d", held, minBytes)
		}
	}
	if s := d.Stats().Fragments; s.Held != 2 || s.Evicted != 9 {
		t.Errorf("%d datagrams held, %d evicted; want 2 and 9", s.Held, s.Evicted)
	}
}

func TestDatagramMakesRoomForItself(t *testing.T) {
	d := New(Config{MaxBytes: minBytes})
	var s Segment
	one := func(id uint16, offset int) Reason {
		return d.Decode(packet(capture.LinkRaw, ip4Part(17, id, offset, true, make([]byte, 8))), &s)
	}
	one(0, 0)
	for id := uint16(1); id < 64; id++ {
		one(id, 0)
	}
	for offset := pageBytes; offset < 60000; offset += pageBytes {
		if r := one(0, offset); r != FragmentHeld {
			t.Fatalf("fragment at %d: %v, want fragment_held", offset, r)
		}
	}
	if r := one(0, 0); r != FragmentDropped {
		t.Errorf("duplicate: %v, want fragment_dropped: the oldest datagram must not evict itself", r)
	}
}

// Reassembled payloads stay as they are until Release, and their memory is bounded.
func TestRelease(t *testing.T) {
	d := New(Config{MaxBytes: minBytes})
	var payloads [][]byte
	send := func(id int) Reason {
		whole := udpBytes(strings.Repeat(fmt.Sprintf("%07d,", id), 5000))
		var s Segment
		d.Decode(packet(capture.LinkRaw, ip4Part(17, uint16(id), 0, true, whole[:20000])), &s)
		r := d.Decode(packet(capture.LinkRaw, ip4Part(17, uint16(id), 20000, false, whole[20000:])), &s)
		if r == OK {
			payloads = append(payloads, s.Payload)
		}
		return r
	}
	for id, want := range []Reason{OK, OK, FragmentDropped} {
		if r := send(id); r != want {
			t.Errorf("datagram %d: %v, want %v", id, r, want)
		}
	}
	for id, p := range payloads {
		if want := strings.Repeat(fmt.Sprintf("%07d,", id), 5000); string(p) != want {
			t.Errorf("payload %d changed before Release", id)
		}
	}
	if n := d.Stats().Fragments.NoRoom; n != 1 {
		t.Errorf("%d datagrams without room, want 1", n)
	}
	d.Release()
	if r := send(4); r != OK {
		t.Errorf("after Release: %v, want ok", r)
	}
}
