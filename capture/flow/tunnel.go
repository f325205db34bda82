package flow

import (
	"net/netip"

	"telltale/capture"
	"telltale/capture/decode"
)

// tunnel is the encapsulation of a flow's first packet.
type tunnel struct {
	src, dst [16]byte
	id       uint32
	kind     decode.Tunnel
}

// tunnels holds those of flows that are in one, so that the others need not grow for
// it. It has at most one a flow.
type tunnels struct {
	all  []tunnel
	free []uint32
}

// keep remembers the tunnel of s and returns its number + 1, 0 if s is in none.
func (t *tunnels) keep(s *decode.Segment) uint32 {
	if s.Tunnel == decode.NoTunnel {
		return 0
	}
	of := tunnel{s.OuterSrc, s.OuterDst, s.TunnelID, s.Tunnel}
	if k := len(t.free); k > 0 {
		n := t.free[k-1]
		t.free = t.free[:k-1]
		t.all[n] = of
		return n + 1
	}
	t.all = append(t.all, of)
	return uint32(len(t.all))
}

// drop forgets what keep returned n for.
func (t *tunnels) drop(n uint32) {
	if n != 0 {
		t.free = append(t.free, n-1)
	}
}

// tell gives o the tunnel that keep returned n for.
func (t *tunnels) tell(o *capture.Observation, n uint32, log *capture.Log) {
	if n != 0 {
		k := &t.all[n-1]
		o.Tunnel = log.Tunnel()
		k.describe(o.Tunnel)
	}
}

// tunnelled gives o the tunnel of the packet s.
func tunnelled(o *capture.Observation, s *decode.Segment, log *capture.Log) {
	if s.Tunnel != decode.NoTunnel {
		k := tunnel{s.OuterSrc, s.OuterDst, s.TunnelID, s.Tunnel}
		o.Tunnel = log.Tunnel()
		k.describe(o.Tunnel)
	}
}

func (k *tunnel) describe(t *capture.Tunnel) {
	t.Kind, t.ID = k.kind.String(), k.id
	if k.src != [16]byte{} || k.dst != [16]byte{} {
		t.Src, t.Dst = netip.AddrFrom16(k.src).Unmap(), netip.AddrFrom16(k.dst).Unmap()
	}
}
