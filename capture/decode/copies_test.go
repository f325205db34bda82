package decode

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"telltale/capture"
)

// dedup returns a Decoder that leaves out copies.
func dedup() *Decoder { return New(Config{Dedup: DefaultDedup}) }

// after decodes a frame at a time after the last one and returns the reason.
func after(d *Decoder, p *capture.Packet, at time.Duration) Reason {
	p.Time = 1700000000e9 + int64(at)
	var s Segment
	return d.Decode(p, &s)
}

// at returns b with one byte changed.
func at(b []byte, offset int, change byte) []byte {
	b = bytes.Clone(b)
	b[offset] ^= change
	return b
}

// TestCopies: what changes on the way through a network does not make another packet,
// what a host changes does.
func TestCopies(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 20)
	tcp4, udp4, udp6 := ip4(6, tcpBytes(long)), ip4(17, udpBytes(long)), ip6(17, udpBytes(long))
	hop := func(b []byte) []byte { return at(at(b, 8, 1), 10, 0x77) } // hop limit and header checksum
	framed := func(t uint16, b []byte) []byte { return ether(t, b) }
	routed := func(t uint16, b []byte) []byte {
		return append([]byte{2, 9, 9, 9, 9, 9, 2, 8, 8, 8, 8, 8}, ether(t, b)[12:]...)
	}
	tests := []struct {
		name          string
		first, second []byte
		want          Reason
	}{
		{"same frame", framed(0x0800, tcp4), framed(0x0800, tcp4), Duplicate},
		{"routed", framed(0x0800, tcp4), routed(0x0800, hop(tcp4)), Duplicate},
		{"routed IPv6", framed(0x86dd, udp6), routed(0x86dd, at(udp6, 7, 1)), Duplicate},
		{"service class", framed(0x0800, udp4), framed(0x0800, at(at(udp4, 1, 0xb8), 10, 3)), Duplicate},
		{"tagged", framed(0x0800, udp4), ether(0x8100, words(7, 0x0800), udp4), Duplicate},
		{"two VLANs", ether(0x8100, words(8, 0x0800), tcp4), ether(0x8100, words(7, 0x0800), tcp4), Duplicate},
		{"padding of the frame", framed(0x0800, tcp4), append(framed(0x0800, tcp4), 0, 0, 0, 0), Duplicate},
		{"IP identification", framed(0x0800, tcp4), framed(0x0800, at(tcp4, 5, 1)), OK},
		{"source", framed(0x0800, tcp4), framed(0x0800, at(tcp4, 15, 1)), OK},
		{"destination", framed(0x86dd, udp6), framed(0x86dd, at(udp6, 30, 1)), OK},
		{"port", framed(0x0800, udp4), framed(0x0800, at(udp4, 21, 1)), OK},
		{"sequence number", framed(0x0800, tcp4), framed(0x0800, at(tcp4, 27, 1)), OK},
		{"acknowledgement", framed(0x0800, tcp4), framed(0x0800, at(tcp4, 31, 1)), OK},
		{"flags", framed(0x0800, tcp4), framed(0x0800, at(tcp4, 33, FIN)), OK},
		{"checksum, so payload", framed(0x0800, tcp4), framed(0x0800, at(tcp4, 37, 1)), OK},
		{"first byte", framed(0x0800, udp4), framed(0x0800, at(udp4, 28, 1)), OK},
		{"last byte", framed(0x0800, udp4), framed(0x0800, at(udp4, len(udp4)-1, 1)), OK},
		{"sixteenth but last byte", framed(0x0800, udp4), framed(0x0800, at(udp4, len(udp4)-16, 1)), OK},
		{"length", framed(0x0800, udp4), framed(0x0800, ip4(17, udpBytes(long[:200]))), OK},
		{"transport", framed(0x0800, tcp4), framed(0x0800, ip4(17, tcpBytes(long))), OK},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := dedup()
			if r := after(d, packet(capture.LinkEthernet, test.first), 0); r != OK {
				t.Fatalf("the first: %v", r)
			}
			if r := after(d, packet(capture.LinkEthernet, test.second), time.Millisecond); r != test.want {
				t.Errorf("got %v, want %v", r, test.want)
			}
			off := New(Config{})
			after(off, packet(capture.LinkEthernet, test.first), 0)
			if r := after(off, packet(capture.LinkEthernet, test.second), 0); r != OK {
				t.Errorf("without a window: %v", r)
			}
		})
	}
}

// TestCopiesInTunnels: the same packet bare and in every encapsulation is one.
func TestCopiesInTunnels(t *testing.T) {
	n := 0
	for _, w := range allWrapped() {
		for _, inner := range [][]byte{inner4(), inner6()} {
			d := dedup()
			after(d, packet(capture.LinkRaw, inner), 0)
			if !bytes.Contains(w.data, inner) {
				continue
			}
			n++
			if r := after(d, packet(w.link, w.data), time.Millisecond); r != Duplicate {
				t.Errorf("%s behind the bare packet: %v", w.name, r)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d encapsulations were tried", n)
	}
}

// TestCopiesInTime: within the window from the first, on either side, and no longer.
func TestCopiesInTime(t *testing.T) {
	for _, test := range []struct {
		at   time.Duration
		want Reason
	}{
		{0, Duplicate},
		{DefaultDedup, Duplicate},
		{DefaultDedup + 1, OK},
		{-DefaultDedup, Duplicate}, // files that are not in order
		{-DefaultDedup - 1, OK},
		{200 * time.Millisecond, OK}, // the least a TCP of today waits before it sends again
		{time.Second, OK},
	} {
		d := dedup()
		p := packet(capture.LinkRaw, ip6(17, udpBytes("the same question")))
		after(d, p, 0)
		if r := after(d, p, test.at); r != test.want {
			t.Errorf("after %v: %v, want %v", test.at, r, test.want)
		}
	}
	d := dedup()
	p := packet(capture.LinkRaw, ip6(17, udpBytes("regular")))
	for i, want := range []Reason{OK, Duplicate, OK, Duplicate, OK} {
		// 15 ms apart: a copy does not lengthen the window.
		if r := after(d, p, time.Duration(i)*15*time.Millisecond); r != want {
			t.Errorf("packet %d: %v, want %v", i, r, want)
		}
	}
}

// TestCopiesCutShort: a tag makes the captured part of a long packet four bytes
// shorter, and it is the same packet.
func TestCopiesCutShort(t *testing.T) {
	for name, whole := range map[string][]byte{"tcp": ip4(6, tcpBytes(strings.Repeat("x", 500))), "udp": ip4(17, udpBytes(strings.Repeat("x", 500)))} {
		for _, snap := range []int{60, 64, 96, 128, 300} {
			plain, tagged := ether(0x0800, whole), ether(0x8100, words(7, 0x0800), whole)
			d := dedup()
			p, q := packet(capture.LinkEthernet, plain[:snap]), packet(capture.LinkEthernet, tagged[:snap])
			p.Length, q.Length = uint32(len(plain)), uint32(len(tagged))
			if r := after(d, p, 0); r != OK {
				t.Fatalf("%s cut to %d bytes: %v", name, snap, r)
			}
			if r := after(d, q, 0); r != Duplicate {
				t.Errorf("%s cut to %d bytes, tagged: %v", name, snap, r)
			}
		}
	}
}

// TestCopiesOfFragments: fragments seen twice make one datagram, also where the two
// ways through the network deliver them in another order.
func TestCopiesOfFragments(t *testing.T) {
	whole := udpBytes(strings.Repeat("0123456789abcdef", 4))
	for name, f := range map[string]func(int, bool, []byte) []byte{"IPv4": frag4, "IPv6": frag6} {
		link := func(vlan uint16, b []byte) *capture.Packet {
			t := uint16(0x0800)
			if name == "IPv6" {
				t = 0x86dd
			}
			return packet(capture.LinkEthernet, ether(0x8100, words(vlan, t), b))
		}
		a, b := f(0, true, whole[:32]), f(32, false, whole[32:])
		for order, packets := range map[string][]*capture.Packet{
			"each twice":        {link(1, a), link(1, a), link(1, b), link(1, b)},
			"one way each":      {link(1, a), link(1, b), link(2, a), link(2, b)},
			"ways that cross":   {link(1, a), link(2, b), link(2, a), link(1, b)},
			"last piece first":  {link(1, b), link(2, b), link(1, a), link(2, a)},
			"three, two ways":   {link(1, a), link(2, a), link(1, a), link(2, b), link(1, b), link(2, b)},
			"one way half lost": {link(1, a), link(2, a), link(2, b)},
		} {
			d := dedup()
			got := map[Reason]int{}
			for i, p := range packets {
				got[after(d, p, time.Duration(i)*time.Millisecond)]++
			}
			if got[OK] != 1 {
				t.Errorf("%s, %s: %d datagrams: %v", name, order, got[OK], got)
			}
		}
	}
}

// TestCopiesBound: what no longer fits is forgotten, and counted if it came within
// the window.
func TestCopiesBound(t *testing.T) {
	d := dedup()
	b := ip6(17, udpBytes("0123456789"))
	p := packet(capture.LinkRaw, b)
	feed := func(n int, step time.Duration) (again int) {
		for i := range n {
			binary.BigEndian.PutUint32(b[48:], uint32(i))
			if after(d, p, time.Duration(i)*step) != OK {
				again++
			}
		}
		return again
	}
	feed(100_000, time.Millisecond)
	if f := d.Stats().Forgotten; f != 0 {
		t.Errorf("%d forgotten at a thousand packets a second", f)
	}
	d = dedup()
	feed(100_000, 0)
	if f := d.Stats().Forgotten; f < 75_000 || f > 90_000 {
		t.Errorf("%d of 100,000 packets of one moment were forgotten, with room for %d", f, copyWays*copyBuckets)
	}
	if n := feed(100, 0); n > 100 {
		t.Errorf("%d of 100 packets that were forgotten are known", n)
	}
}

func TestCopiesDoNotAllocate(t *testing.T) {
	d := dedup()
	var s Segment
	for name, p := range samples() {
		if n := testing.AllocsPerRun(100, func() { p.Time += 1e9; d.Decode(p, &s) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	batch := fragmentBatch(100)
	run := func() {
		for _, p := range batch {
			p.Time += 1e9
			d.Decode(p, &s)
		}
		d.Release()
	}
	for range 10 {
		run()
	}
	if n := testing.AllocsPerRun(20, run); n != 0 {
		t.Errorf("%v allocations for fragments", n)
	}
}

// BenchmarkDedup is BenchmarkDecodeDistinct with and without the window: new packets,
// 200,000 a second.
func BenchmarkDedup(b *testing.B) {
	const count, stride = 100000, 600
	frame := ether(0x0800, ip4(6, tcpBytes(string(make([]byte, 500)))))
	memory := make([]byte, count*stride)
	batch := make([]capture.Packet, count)
	for i := range batch {
		at := memory[i*stride:][:len(frame)]
		copy(at, frame)
		binary.BigEndian.PutUint32(at[38:], uint32(i))
		batch[i] = *packet(capture.LinkEthernet, at)
	}
	for _, c := range []struct {
		name string
		conf Config
	}{{"off", Config{}}, {"on", Config{Dedup: DefaultDedup}}} {
		b.Run(c.name, func(b *testing.B) {
			d := New(c.conf)
			var s Segment
			now, i := int64(0), 0
			b.ReportAllocs()
			for b.Loop() {
				now += 5000
				batch[i].Time = now
				d.Decode(&batch[i], &s)
				if i++; i == count {
					i = 0
				}
			}
		})
	}
}
