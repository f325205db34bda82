package decode

import (
	"encoding/binary"
	"math/bits"
	"testing"

	"pgregory.net/rapid"
)

func TestHashIsSymmetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		address := rapid.SliceOfN(rapid.Byte(), 16, 16)
		s := Segment{
			Src: [16]byte(address.Draw(t, "src")), Dst: [16]byte(address.Draw(t, "dst")),
			SrcPort: rapid.Uint16().Draw(t, "sport"), DstPort: rapid.Uint16().Draw(t, "dport"),
			Protocol: rapid.Uint8().Draw(t, "protocol"), VLAN: 1, Seq: 5, Flags: ACK,
		}
		back := Segment{Src: s.Dst, Dst: s.Src, SrcPort: s.DstPort, DstPort: s.SrcPort, Protocol: s.Protocol, VLAN: 2}
		seed := rapid.Uint64().Draw(t, "seed")
		if s.Hash(seed) != back.Hash(seed) {
			t.Fatal("the directions differ")
		}
	})
}

// hashFlows are sets of flows that differ in few bits, as real ones do.
var hashFlows = map[string]func(i int) Segment{
	"IPv4 client ports": func(i int) Segment {
		s := hashFlow4()
		s.SrcPort += uint16(i)
		return s
	},
	"IPv4 hosts": func(i int) Segment {
		s := hashFlow4()
		binary.BigEndian.PutUint32(s.Src[12:], 0x0a000000+uint32(i))
		return s
	},
	"IPv4 servers, hosts and ports": func(i int) Segment {
		s := hashFlow4()
		s.Src[15], s.Dst[14], s.SrcPort = byte(i), byte(i>>8), 40000+uint16(i%7)
		return s
	},
	"IPv6 hosts": func(i int) Segment {
		s := Segment{Src: source6.As16(), Dst: target6.As16(), SrcPort: 40000, DstPort: 443, Protocol: 17}
		binary.BigEndian.PutUint32(s.Src[12:], uint32(i))
		return s
	},
	"IPv6 networks": func(i int) Segment {
		s := Segment{Src: source6.As16(), Dst: target6.As16(), SrcPort: 40000, DstPort: 443, Protocol: 17}
		binary.BigEndian.PutUint32(s.Dst[4:], uint32(i))
		return s
	},
}

func hashFlow4() Segment {
	return Segment{Src: source4.As16(), Dst: target4.As16(), SrcPort: 1024, DstPort: 443, Protocol: 6}
}

func TestHashIsSpread(t *testing.T) {
	const flows, shards = 60000, 16
	for name, flow := range hashFlows {
		for _, seed := range []uint64{0, 1, 0x8000000000000000, 0xdeadbeefcafef00d} {
			var low, high [shards]int
			seen := map[uint64]bool{}
			for i := range flows {
				s := flow(i)
				h := s.Hash(seed)
				low[h%shards]++
				high[h>>60]++
				seen[h] = true
			}
			if len(seen) != flows {
				t.Errorf("%s, seed %#x: %d of %d hashes collide", name, seed, flows-len(seen), flows)
			}
			for i := range shards {
				if outside(low[i], flows/shards) || outside(high[i], flows/shards) {
					t.Errorf("%s, seed %#x, shard %d: %d by the low bits, %d by the high, want %d within 10 %%",
						name, seed, i, low[i], high[i], flows/shards)
				}
			}
		}
	}
}

func outside(n, want int) bool { return n*10 < want*9 || n*10 > want*11 }

// Each bit of addresses, ports and protocol changes about half of the result.
func TestHashMixes(t *testing.T) {
	const samples = 200
	flip := func(s *Segment, bit int) {
		switch {
		case bit < 128:
			s.Src[bit/8] ^= 1 << (bit % 8)
		case bit < 144:
			s.SrcPort ^= 1 << (bit - 128)
		default:
			s.Protocol ^= 1 << (bit - 144)
		}
	}
	for bit := range 152 {
		changed := 0
		for i := range samples {
			s := hashFlows["IPv4 client ports"](i * 37)
			before := s.Hash(0)
			flip(&s, bit)
			changed += bits.OnesCount64(before ^ s.Hash(0))
		}
		if mean := float64(changed) / samples; mean < 26 || mean > 38 {
			t.Errorf("input bit %d changes %.1f bits of 64 on average, want about 32", bit, mean)
		}
	}
}

// What is left out of the hash is the VLAN; what tells two flows apart is in it.
func TestHashInputs(t *testing.T) {
	a := hashFlow4()
	swapped := a
	swapped.SrcPort, swapped.DstPort = a.DstPort, a.SrcPort
	udp := a
	udp.Protocol = 17
	tagged := a
	tagged.VLAN = 7
	if a.Hash(1) == swapped.Hash(1) || a.Hash(1) == udp.Hash(1) || a.Hash(1) == a.Hash(2) {
		t.Error("swapped ports, the protocol or the seed make no difference")
	}
	if a.Hash(1) != tagged.Hash(1) {
		t.Error("the VLAN makes a difference")
	}
}
