package flow

import (
	"net/netip"

	"telltale/capture"
)

// origins holds the clients that PROXY headers told, apart from the flows: few have one.
// There is at most one for each flow in the table.
type origins struct {
	all  []netip.AddrPort
	free []uint32
}

// add returns the number + 1 of a.
func (o *origins) add(a netip.AddrPort) uint32 {
	if k := len(o.free); k > 0 {
		n := o.free[k-1]
		o.free = o.free[:k-1]
		o.all[n] = a
		return n + 1
	}
	o.all = append(o.all, a)
	return uint32(len(o.all))
}

// at returns the address numbered n - 1, an invalid one for 0.
func (o *origins) at(n uint32) netip.AddrPort {
	if n == 0 {
		return netip.AddrPort{}
	}
	return o.all[n-1]
}

func (o *origins) put(n uint32) { o.free = append(o.free, n-1) }

// describe fills o with the flow's endpoints and state.
func (t *table) describe(e *entry, o *capture.Observation) {
	e.describe(o)
	o.Proxied = t.origins.at(e.origin)
}
