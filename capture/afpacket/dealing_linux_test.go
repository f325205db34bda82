package afpacket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cilium/ebpf"

	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/pcapfile"
)

// kernelDealing loads the program, or skips the test.
func kernelDealing(t *testing.T, s Steering) func(frame []byte) uint32 {
	t.Helper()
	p, err := newDealing(s)
	if errors.Is(err, os.ErrPermission) {
		t.Skipf("NOT RUN IN THE KERNEL: %v", err)
	}
	if err != nil {
		var v *ebpf.VerifierError
		if errors.As(err, &v) {
			t.Fatalf("%+v", v)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return func(frame []byte) uint32 {
		t.Helper()
		n, err := p.Run(&ebpf.RunOptions{Data: frame})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
}

// lookedInto are the encapsulations that the program reads.
var lookedInto = []decode.Tunnel{decode.NoTunnel, decode.TunnelVXLAN, decode.TunnelGENEVE, decode.TunnelGRE, decode.TunnelERSPAN, decode.TunnelIPIP}

// TestDealingIsOf: the kernel numbers packets of real captures as Of does what is
// innermost in them.
func TestDealingIsOf(t *testing.T) {
	s := Steering{Seed: 0x12345678, Shards: 64}
	number := kernelDealing(t, s)
	own, _ := filepath.Glob("../../testdata/case/*/input.*")
	beside, _ := filepath.Glob("../../../shared/captures/*.pcap*")
	compared, tunnelled := 0, map[decode.Tunnel]int{}
	for _, path := range append(own, beside...) {
		d := decode.New(decode.Config{})
		eachFrame(t, path, func(p *capture.Packet) {
			if len(p.Data) > 3000 {
				return // more than a test run takes
			}
			if unread(p.Data) {
				return
			}
			got := number(p.Data)
			if got > 63 {
				t.Fatalf("%s, packet %d: number %d", path, p.Ordinal, got)
			}
			var seg decode.Segment
			if d.Decode(p, &seg) != decode.OK || seg.Reassembled || !slices.Contains(lookedInto, seg.Tunnel) || labelled(&seg) || seg.Depth > encapsulations || extended(&seg, p.Data) {
				return
			}
			compared++
			tunnelled[seg.Tunnel]++
			if want := s.Of(&seg.Src, &seg.Dst, seg.SrcPort, seg.DstPort); got != want {
				t.Errorf("%s, packet %d (%v, depth %d): the program says %d, Of %d", filepath.Base(path), p.Ordinal, seg.Tunnel, seg.Depth, got, want)
			}
		})
	}
	t.Logf("%d packets compared: %v", compared, tunnelled)
	if compared < 200 || len(beside) > 0 && len(tunnelled) != len(lookedInto) {
		t.Errorf("%d packets only, or not every encapsulation: %v", compared, tunnelled)
	}
}

// labelled says that MPLS, PPPoE or the like lies around the packet, which the program
// does not read.
func labelled(s *decode.Segment) bool { return s.Tunnel == decode.NoTunnel && s.Depth > 0 }

// unread says that a frame holds what the program does not look into: 802.2, PPP in GRE
// (EtherType 0x880b), MACsec in a tunnel (0x88e5). A few others are left out by chance.
func unread(b []byte) bool {
	heads := b[:min(len(b), 100)]
	return binary.BigEndian.Uint16(b[12:]) < 0x0600 ||
		bytes.Contains(heads, []byte{0x88, 0x0b}) || bytes.Contains(heads, []byte{0x88, 0xe5})
}

// extended says that a packet has IPv6 extension headers, which the program does not pass.
func extended(s *decode.Segment, b []byte) bool {
	return s.IPv6 && !slices.Contains([]byte{6, 17}, b[min(20, len(b)-1)]) && s.Depth == 0 && s.VLAN == 0
}

// eachFrame calls do for each Ethernet frame of a capture.
func eachFrame(t *testing.T, path string, do func(*capture.Packet)) {
	t.Helper()
	src, err := pcapfile.Open(pcapfile.Config{Paths: []string{path}})
	if err != nil {
		return // damaged on purpose
	}
	defer src.Close()
	var b capture.Batch
	for src.Next(&b) == nil {
		for i := range b.Packets {
			if p := &b.Packets[i]; p.Link == capture.LinkEthernet && len(p.Data) >= 14 {
				do(p)
			}
		}
	}
}
