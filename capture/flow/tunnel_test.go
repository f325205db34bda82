package flow

import (
	"net/netip"
	"testing"
	"unsafe"

	"telltale/capture"
	"telltale/capture/decode"
)

// inTunnel makes s a packet inside a tunnel.
func inTunnel(s decode.Segment, kind decode.Tunnel, id uint32) decode.Segment {
	s.Tunnel, s.TunnelID = kind, id
	s.OuterSrc, s.OuterDst = netip.MustParseAddr("203.0.113.1").As16(), netip.MustParseAddr("203.0.113.2").As16()
	return s
}

func TestTunnelOfFlow(t *testing.T) {
	k := newTalk(Config{})
	h := hello(t, "tunnel.example")
	k.feed(inTunnel(k.segment(0, decode.SYN, -1, ""), decode.TunnelVXLAN, 42))
	k.feed(k.segment(1, decode.SYN|decode.ACK, -1, "")) // mirrored by another switch
	k.feed(inTunnel(k.segment(0, decode.ACK, 0, h), decode.TunnelVXLAN, 43))
	want := capture.Tunnel{Kind: "vxlan", ID: 42, Src: netip.MustParseAddr("203.0.113.1"), Dst: netip.MustParseAddr("203.0.113.2")}
	k.end()
	if k.log.Len() < 2 {
		t.Fatalf("%d observations", k.log.Len())
	}
	for i := range k.log.Len() {
		if o := k.log.At(i); o.Tunnel == nil || *o.Tunnel != want {
			t.Errorf("%s %s: tunnel %+v, want %+v", o.Proto, o.Kind, o.Tunnel, want)
		}
	}
	if n := len(k.t.tunnels.free); n != 1 || len(k.t.tunnels.all) != 1 {
		t.Errorf("%d of %d tunnels given back", n, len(k.t.tunnels.all))
	}
}

func TestNoTunnel(t *testing.T) {
	k := newTalk(Config{})
	k.handshake()
	k.send(0, hello(t, "plain.example"))
	k.end()
	for i := range k.log.Len() {
		if o := k.log.At(i); o.Tunnel != nil {
			t.Errorf("%s %s: tunnel %+v", o.Proto, o.Kind, o.Tunnel)
		}
	}
	if len(k.t.tunnels.all) != 0 {
		t.Error("a place is taken by a flow outside any tunnel")
	}
}

// A tunnel below IP has no ends.
func TestTunnelBelowIP(t *testing.T) {
	k := newTalk(Config{})
	s := k.segment(0, decode.SYN, -1, "")
	s.Tunnel, s.TunnelID = decode.TunnelPPPoE, 7
	k.feed(s)
	k.end()
	if o := k.log.At(0); o.Tunnel == nil || o.Tunnel.Kind != "pppoe" || o.Tunnel.ID != 7 || o.Tunnel.Src.IsValid() {
		t.Errorf("tunnel %+v", o.Tunnel)
	}
}

// Ports reused within a tunnel and without: each flow has its own.
func TestTunnelOfReusedPorts(t *testing.T) {
	k := newTalk(Config{})
	for n := range 3 {
		s := k.segment(0, decode.SYN, -1, "")
		if n != 1 {
			s = inTunnel(s, decode.TunnelGRE, uint32(n))
		}
		k.feed(s)
		k.feed(k.segment(0, decode.RST, 0, ""))
		k.seq[0] += 1 << 20
	}
	k.end()
	var got []uint32
	for i := range k.log.Len() {
		id := uint32(99)
		if o := k.log.At(i); o.Tunnel != nil {
			id = o.Tunnel.ID
		}
		got = append(got, id)
	}
	if len(got) != 3 || got[0] != 0 || got[1] != 99 || got[2] != 2 {
		t.Errorf("tunnels %v, want 0, none, 2", got)
	}
}

// What few flows have stays in side tables: what it holds is read by every packet.
func TestEntrySize(t *testing.T) {
	if n := unsafe.Sizeof(entry{}); n > 216 {
		t.Errorf("a flow takes %d bytes", n)
	}
}
