package prefilter

import (
	"errors"
	gomaps "maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cilium/ebpf"

	"telltale/capture"
)

// kernel is the program of one kind, run by hand on packets.
type kernel struct {
	maps *maps
	prog *ebpf.Program
	xdp  bool
}

func newKernel(tb testing.TB, conf Config, xdp bool) *kernel {
	tb.Helper()
	conf = conf.withDefaults()
	m, err := newMaps(conf)
	if errors.Is(err, os.ErrPermission) {
		tb.Skipf("NOT RUN IN THE KERNEL: %v", err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(m.close)
	p, err := newProgram(m, conf, xdp)
	if err != nil {
		var v *ebpf.VerifierError
		if errors.As(err, &v) {
			tb.Fatalf("%+v", v)
		}
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = p.Close() })
	return &kernel{m, p, xdp}
}

// frame returns b as a test run wants it. A run of a socket filter begins behind an
// Ethernet header, a socket of ours before it: so one more is put in front.
func (k *kernel) frame(b []byte) []byte {
	if k.xdp {
		return b
	}
	return append(make([]byte, 14, 14+len(b)), b...)
}

// pass says whether the program passes a frame.
func (k *kernel) pass(tb testing.TB, b []byte, now int64) bool {
	tb.Helper()
	if err := k.maps.tick(now); err != nil {
		tb.Fatal(err)
	}
	ret, err := k.prog.Run(&ebpf.RunOptions{Data: k.frame(b)})
	if err != nil {
		tb.Fatal(err)
	}
	if k.xdp {
		return ret == xdpPass
	}
	return ret != socketHold
}

// runnable says whether a test run takes packets of that length.
func runnable(b []byte) bool { return len(b) >= 14 && len(b) <= 3000 }

// TestProgramDecidesLikeModel runs every Ethernet packet of every capture through the
// programs in the kernel and the Model: the same verdicts, and in the end the same
// counts.
func TestProgramDecidesLikeModel(t *testing.T) {
	for _, kind := range []struct {
		name string
		xdp  bool
	}{{"socket", false}, {"xdp", true}} {
		t.Run(kind.name, func(t *testing.T) {
			conf := Config{Flows: 1 << 12, Seed: 0x1234567890abcdef}
			k := newKernel(t, conf, kind.xdp)
			m := NewModel(conf)
			var want Counts
			for _, path := range captures(t) {
				for _, p := range packets(t, path) {
					if p.Link != capture.LinkEthernet || !runnable(p.Data) {
						continue
					}
					c := m.Decide(p.Data, p.Time)
					want[c].Packets++
					want[c].Bytes += uint64(len(p.Data))
					if got := k.pass(t, p.Data, p.Time); got != (c == Passed) {
						t.Fatalf("%s, packet %d: program passes: %v, Model: %v\n% x", filepath.Base(path), p.Ordinal, got, c, p.Data[:min(len(p.Data), 100)])
					}
				}
			}
			got, err := k.maps.totals()
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("counts:\n got  %+v\n want %+v", got, want)
			}
			t.Logf("%+v", got)
		})
	}
}

// packets returns all packets of a capture.
func packets(tb testing.TB, path string) (all []capture.Packet) {
	tb.Helper()
	src := open(tb, path, nil)
	var b capture.Batch
	for src.Next(&b) == nil {
		for _, p := range b.Packets {
			p.Data = append([]byte(nil), p.Data...)
			all = append(all, p)
		}
	}
	return all
}

// wrapped returns b inside every encapsulation that is looked into, and some broken ones.
func wrapped(b []byte) [][]byte {
	ether, payload := b[:12], b[12:]
	tag := func(t ...byte) []byte { return slices.Concat(ether, t, payload) }
	outer := func(protocol byte, ports []byte, header ...byte) []byte {
		inner := slices.Concat(ports, header, b)
		ip := []byte{0x45, 0, byte((20 + len(inner)) >> 8), byte(20 + len(inner)), 0, 1, 0, 0, 64, protocol, 0, 0, 10, 9, 8, 7, 10, 9, 8, 6}
		return slices.Concat(ether, []byte{8, 0}, ip, inner)
	}
	vxlan := []byte{0xc0, 1, 0x12, 0xb5, 0, 0, 0, 0}
	geneve := []byte{0xc0, 1, 0x17, 0xc1, 0, 0, 0, 0}
	return [][]byte{
		tag(0x81, 0, 0, 10), tag(0x88, 0xa8, 0, 20, 0x81, 0, 0, 10), tag(0x91, 0, 0, 20, 0x91, 0, 0, 10),
		tag(0x81, 0, 0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3),
		outer(17, vxlan, 8, 0, 0, 0, 0, 0, 7, 0), outer(17, vxlan, 0, 0, 0, 0, 0, 0, 7, 0),
		outer(17, geneve, 0, 0, 0x65, 0x58, 0, 0, 7, 0),
		outer(17, geneve, 2, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 2, 3, 4, 5, 6, 7, 8),
		outer(17, geneve, 0x3f, 0, 0x65, 0x58, 0, 0, 7, 0),
		outer(17, geneve, 0, 0, 8, 0, 0, 0, 7, 0),
		outer(47, nil, 0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 0, 0, 0, 0, 0),
		outer(47, nil, 0, 0, 0x88, 0xbe),
	}
}

// TestProgramOnOddPackets compares program and Model on packets that are wrapped, cut
// and damaged.
func TestProgramOnOddPackets(t *testing.T) {
	for _, kind := range []struct {
		name string
		xdp  bool
	}{{"socket", false}, {"xdp", true}} {
		t.Run(kind.name, func(t *testing.T) {
			conf := Config{Flows: 1 << 6, Window: 2048} // small, so that flows take each other's place
			k, m := newKernel(t, conf, kind.xdp), NewModel(conf)
			random := rand.New(rand.NewPCG(1, 2))
			compare := func(b []byte, now int64) {
				t.Helper()
				if !runnable(b) {
					return
				}
				c := m.Decide(b, now)
				if got := k.pass(t, b, now); got != (c == Passed) {
					t.Fatalf("program passes: %v, Model: %v\n% x", got, c, b[:min(len(b), 130)])
				}
			}
			for i, path := range captures(t) {
				for n, p := range packets(t, path) {
					if p.Link != capture.LinkEthernet || len(p.Data) < 14 || n > 300 {
						continue
					}
					now := p.Time + int64(i)*1e9
					for _, b := range wrapped(p.Data) {
						compare(b, now)
					}
					for range 4 {
						b := slices.Clone(p.Data)
						for range 1 + random.IntN(3) {
							b[random.IntN(min(len(b), 96))] = byte(random.Uint32())
						}
						compare(b, now)
						compare(b[:random.IntN(len(b)+1)], now)
					}
				}
			}
		})
	}
}

// TestVendors counts what is held back of watched addresses.
func TestVendors(t *testing.T) {
	conf := Config{Flows: 1 << 8, Vendors: 2}
	k := newKernel(t, conf, false)
	bulk := func(src, dst byte) []byte {
		b := make([]byte, 1000)
		copy(b[12:], []byte{8, 0, 0x45, 0, 3, 0xda, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, src, 10, 0, 0, dst, 0x9c, 0x40, 0x9c, 0x41})
		b[42] = 0x40
		return b
	}
	a, c, d := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.3"), netip.MustParseAddr("10.0.0.4")
	send := func() {
		for range 4 {
			k.pass(t, bulk(1, 2), 1e18)
			k.pass(t, bulk(3, 1), 1e18)
		}
	}
	send() // nobody is watched yet
	if err := k.maps.watch([]netip.Addr{a, c}); err != nil {
		t.Fatal(err)
	}
	send()
	want := map[netip.Addr]Count{a: {8, 8000}, c: {4, 4000}}
	if got, err := k.maps.seen(); err != nil || !gomaps.Equal(got, want) {
		t.Errorf("got %v %v, want %v", got, err, want)
	}
	if err := k.maps.watch([]netip.Addr{a, d}); err != nil {
		t.Fatal(err)
	}
	send()
	want = map[netip.Addr]Count{a: {16, 16000}, d: {}}
	if got, err := k.maps.seen(); err != nil || !gomaps.Equal(got, want) {
		t.Errorf("after another watch got %v %v, want %v", got, err, want)
	}
	got, err := k.maps.totals()
	if held := got.Held(); err != nil || held.Packets != 22 || got[UDPData].Bytes != 22000 || got[Passed].Packets != 2 {
		t.Errorf("counts %+v %v", got, err)
	}
}

// BenchmarkProgram is the cost of one packet that is held back, with that of the test
// run itself.
func BenchmarkProgram(b *testing.B) {
	tcp := make([]byte, 1066)
	copy(tcp[12:], []byte{8, 0, 0x45, 0, 4, 0x1c, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 1, 0xbb, 0x9c, 0x41, 0, 0, 0, 1, 0, 0, 0, 1, 0x80, 0x10})
	copy(tcp[66:], []byte{0x81, 0x82, 0x83, 0x84, 0x85, 0x86})
	for _, kind := range []struct {
		name string
		xdp  bool
	}{{"socket", false}, {"xdp", true}} {
		b.Run(kind.name, func(b *testing.B) {
			k := newKernel(b, Config{}, kind.xdp)
			if k.pass(b, tcp, 1e18); k.pass(b, tcp, 1e18) {
				b.Fatal("the packet is not bulk")
			}
			_, each, err := k.prog.Benchmark(k.frame(tcp), max(b.N, 1000), nil)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(each.Nanoseconds()), "ns/packet")
		})
	}
}
