package afpacket

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"golang.org/x/net/bpf"
	"pgregory.net/rapid"
)

// header makes an IP packet with the first bytes of a TCP or UDP header, behind a VLAN
// tag if tag is set.
func header(src, dst netip.Addr, protocol byte, sport, dport uint16, tag bool, fragment uint16) []byte {
	var b []byte
	if tag {
		b = append(b, 0, 7, 8, 0)
		if src.Is6() {
			b[2], b[3] = 0x86, 0xdd
		}
	}
	if src.Is4() {
		ip := make([]byte, 20)
		ip[0], ip[9] = 0x45, protocol
		binary.BigEndian.PutUint16(ip[2:], 60)
		binary.BigEndian.PutUint16(ip[6:], fragment)
		copy(ip[12:], src.AsSlice())
		copy(ip[16:], dst.AsSlice())
		b = append(b, ip...)
	} else {
		ip := make([]byte, 40)
		ip[0], ip[6] = 0x60, protocol
		copy(ip[8:], src.AsSlice())
		copy(ip[24:], dst.AsSlice())
		b = append(b, ip...)
	}
	b = binary.BigEndian.AppendUint16(b, sport)
	b = binary.BigEndian.AppendUint16(b, dport)
	return append(b, make([]byte, 16)...)
}

// vms runs what the kernel runs on packets that come in and on those that go out. The
// machine knows nothing of packet types and headers, so it gets the two parts of the
// program, the second as if the network header were at 0.
func vms(t testing.TB, s Steering) (all [2]*bpf.VM) {
	t.Helper()
	if _, err := s.Program(); err != nil {
		t.Fatal(err)
	}
	for i, base := range []uint32{0, networkHeader} {
		p := program{seed: s.Seed, mask: s.mask()}
		p.dispatch(base)
		for n, c := range p.code {
			switch c := c.(type) {
			case bpf.LoadAbsolute:
				c.Off -= base
				p.code[n] = c
			case bpf.LoadIndirect:
				c.Off -= base
				p.code[n] = c
			case bpf.LoadMemShift:
				c.Off -= base
				p.code[n] = c
			}
		}
		var err error
		if all[i], err = bpf.NewVM(p.code); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestProgramIsOf: what the kernel computes is what the program computes, both ways.
func TestProgramIsOf(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := Steering{Seed: rapid.Uint32().Draw(r, "seed"), Shards: 1 << rapid.IntRange(0, 8).Draw(r, "shards")}
		n := rapid.SampledFrom([]int{4, 16}).Draw(r, "length")
		bytes := rapid.SliceOfN(rapid.Byte(), n, n)
		src, _ := netip.AddrFromSlice(bytes.Draw(r, "src"))
		dst, _ := netip.AddrFromSlice(bytes.Draw(r, "dst"))
		sport, dport := rapid.Uint16().Draw(r, "sport"), rapid.Uint16().Draw(r, "dport")
		protocol := rapid.SampledFrom([]byte{6, 17, 47}).Draw(r, "protocol")
		tag := rapid.Bool().Draw(r, "tag")
		fragment := uint16(0)
		if n == 4 {
			fragment = rapid.SampledFrom([]uint16{0, 0x4000, 0x2000, 0x00b9}).Draw(r, "fragment")
		}
		a, b := src.As16(), dst.As16()
		p, q := sport, dport
		if protocol == 47 || fragment&0x3fff != 0 {
			p, q = 0, 0
		}
		want := s.Of(&a, &b, p, q)
		if back := s.Of(&b, &a, q, p); back != want {
			t.Fatalf("one direction is %d, the other %d", want, back)
		}
		machines := vms(t, s)
		for i, f := range [][]byte{
			header(src, dst, protocol, sport, dport, tag, fragment),
			header(dst, src, protocol, dport, sport, tag, fragment),
		} {
			if f[0] == 0x45 && tag {
				continue // a tag that reads like IPv4; it is dealt out all the same
			}
			got, err := machines[i].Run(f)
			if err != nil {
				t.Fatal(err)
			}
			if uint32(got) != want && !mapped(src) && !mapped(dst) {
				t.Fatalf("the program says %d, Of %d", got, want)
			}
		}
	})
}

// mapped says that an IPv6 address is an IPv4 one to Of.
func mapped(a netip.Addr) bool { return a.Is4In6() }

// TestSpread: flows are dealt out evenly.
func TestSpread(t *testing.T) {
	s := Steering{Seed: 1, Shards: 64}
	var hits [64]int
	const flows = 64_000
	for i := range flows {
		src := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).As16()
		dst := netip.AddrFrom4([4]byte{198, 51, 100, byte(i % 7)}).As16()
		hits[s.Of(&src, &dst, uint16(30000+i%1000), 443)]++
	}
	for n, h := range hits {
		if h < flows/64*8/10 || h > flows/64*12/10 {
			t.Errorf("number %d has %d of %d flows", n, h, flows)
		}
	}
}

func TestProgramIsAlwaysInBounds(t *testing.T) {
	machines := vms(t, Steering{Shards: 16})
	for n := range 64 {
		for _, first := range []byte{0x45, 0x4f, 0x60, 0x00, 0xff} {
			b := make([]byte, n)
			if n > 0 {
				b[0] = first
			}
			for _, m := range machines {
				if got, err := m.Run(b); err != nil || got > 15 {
					t.Errorf("%d bytes: %d, %v", n, got, err)
				}
			}
		}
	}
}

func TestConfigValidate(t *testing.T) {
	if err := (Config{Interface: "eth0"}).Validate(); err != nil {
		t.Error(err)
	}
	bad := Config{Interface: "a-name-that-is-too-long", Rings: 100, Bytes: 5, Latency: 1, Wait: 1, Filter: make([]bpf.RawInstruction, 5000)}
	if err := bad.Validate(); err == nil {
		t.Error("nothing is wrong with a wrong configuration")
	}
	for _, c := range []Config{{Rings: 1}, {Rings: 8}, {Rings: 16, Bytes: 16 << 20}, {Rings: 1, Bytes: 1 << 20}, {Rings: 1, Bytes: 4 << 30}} {
		size, n := c.withDefaults().blocks()
		if size < minBlock || size > maxBlock || n < 4 || size&(size-1) != 0 {
			t.Errorf("%+v: %d blocks of %d bytes", c, n, size)
		}
	}
}
