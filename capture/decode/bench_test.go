package decode

import (
	"testing"

	"telltale/capture"
)

func samples() map[string]*capture.Packet {
	payload := string(make([]byte, 500))
	v4, v6 := ip4(6, tcpBytes(payload)), ip6(17, udpBytes(payload))
	frame, udp4 := ether(0x0800, v4), on4(17, udpBytes(payload))
	return map[string]*capture.Packet{
		"ethernet-ipv4-tcp":  packet(capture.LinkEthernet, ether(0x0800, v4)),
		"vlan-ipv4-tcp":      packet(capture.LinkEthernet, ether(0x8100, words(5, 0x0800), v4)),
		"ethernet-ipv6-udp":  packet(capture.LinkEthernet, ether(0x86dd, v6)),
		"ipv6-extension-udp": packet(capture.LinkRaw, ip6(0, extensionBytes(17, 1, udpBytes(payload)))),
		"cooked-ipv4-tcp":    packet(capture.LinkSLL2, sll2(1, 0x0800, v4)),
		"unreachable":        packet(capture.LinkRaw, ip4(1, icmpBytes(3, 3, v4))),
		"arp":                packet(capture.LinkEthernet, ether(0x0806, make([]byte, 46))),
		"neighbour":          packet(capture.LinkEthernet, ether(0x86dd, neighbourBytes(135, 255))),
		"unknown-link":       packet(9999, v4),
		"ethernet-ipv4-udp":  packet(capture.LinkEthernet, ether(0x0800, udp4)),
		"gre":                packet(capture.LinkEthernet, ether(0x0800, on4(47, join(words(0, 0x0800), v4)))),
		"erspan":             packet(capture.LinkEthernet, ether(0x0800, on4(47, join(words(greSequence, 0x88be, 0, 1, 0x1001, 1, 0, 0), frame)))),
		"vxlan":              packet(capture.LinkEthernet, ether(0x0800, onUDP(4789, words(0x0800, 0, 0, 0x0700), frame))),
		"esp":                packet(capture.LinkRaw, on4(50, esp(0, 12, 99, tcpBytes(payload)))),
	}
}

func TestDecodeDoesNotAllocate(t *testing.T) {
	d := New(Config{})
	var s Segment
	all := samples()
	for _, w := range allWrapped() {
		all[w.name] = packet(w.link, w.data)
	}
	for name, p := range all {
		if n := testing.AllocsPerRun(100, func() { d.Decode(p, &s) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// fragmentBatch is n datagrams of three fragments each; every eighth is incomplete.
func fragmentBatch(n int) []*capture.Packet {
	whole := udpBytes(string(make([]byte, 4000)))
	var batch []*capture.Packet
	for id := range n {
		batch = append(batch,
			packet(capture.LinkRaw, ip4Part(17, uint16(id), 0, true, whole[:1480])),
			packet(capture.LinkRaw, ip4Part(17, uint16(id), 1480, true, whole[1480:2960])))
		if id%8 != 0 {
			batch = append(batch, packet(capture.LinkRaw, ip4Part(17, uint16(id), 2960, false, whole[2960:])))
		}
	}
	return batch
}

func TestFragmentsDoNotAllocate(t *testing.T) {
	d := New(Config{MaxDatagrams: 8, MaxBytes: 1 << 20})
	var s Segment
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
		t.Errorf("%v allocations for %d fragments", n, len(batch))
	}
	if f := d.Stats().Fragments; f.Complete == 0 || f.Evicted+f.TimedOut == 0 {
		t.Errorf("nothing completed or nothing given up: %+v", f)
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, p := range samples() {
		b.Run(name, func(b *testing.B) {
			d := New(Config{})
			var s Segment
			b.ReportAllocs()
			for b.Loop() {
				d.Decode(p, &s)
			}
		})
	}
}

// Every packet lies in other memory, as in a batch fresh from a file.
func BenchmarkDecodeDistinct(b *testing.B) {
	const count, stride = 100000, 600
	frame := ether(0x0800, ip4(6, tcpBytes(string(make([]byte, 500)))))
	memory := make([]byte, count*stride)
	batch := make([]capture.Packet, count)
	for i := range batch {
		at := memory[i*stride:][:len(frame)]
		copy(at, frame)
		batch[i] = *packet(capture.LinkEthernet, at)
	}
	d := New(Config{})
	var s Segment
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		d.Decode(&batch[i], &s)
		if i++; i == count {
			i = 0
		}
	}
}

func BenchmarkFragments(b *testing.B) {
	d := New(Config{})
	var s Segment
	batch := fragmentBatch(64)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		d.Decode(batch[i], &s)
		if i++; i == len(batch) {
			i = 0
			d.Release()
		}
	}
}

func BenchmarkHash(b *testing.B) {
	s := hashFlow4()
	var sum uint64
	b.ReportAllocs()
	for b.Loop() {
		sum += s.Hash(sum)
	}
	if sum == 0 {
		b.Log("sum is 0")
	}
}
