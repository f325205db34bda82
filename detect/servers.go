package detect

import (
	"net/netip"
	"slices"
)

// Servers returns the addresses, limit at most, at which vendors were last contacted by
// something they can be told by. What is sent to and from them may be counted apart.
func (e *Engine) Servers(limit int) []netip.Addr {
	seen := map[netip.Addr]bool{}
	for i := len(e.findings) - 1; i >= 0 && len(seen) < limit; i-- { // later ones first
		f := e.findings[i]
		if f.Topic != AboutVendor {
			continue
		}
		for _, t := range f.hits {
			if a := t.server.Addr(); a.IsValid() && len(seen) < limit {
				seen[a] = true
			}
		}
	}
	all := make([]netip.Addr, 0, len(seen))
	for a := range seen {
		all = append(all, a)
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return all
}
