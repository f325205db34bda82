package detect

import (
	"slices"

	"telltale/feeds"
	"telltale/feeds/geo"
)

// Swap puts other knowledge to use between two Observations. Findings stay what they
// are: their ids do not change, and what they hold about an Indicator counts on by its
// id, read anew where the Indicator is still known and kept where it is not. Policies
// are those of the new Set from the next fact on. watch takes the place of Config.Watch.
func (e *Engine) Swap(set *feeds.Set, watch *geo.Watch) {
	e.set, e.conf.Set, e.conf.Watch = set, set, watch
	e.quiet = quiet{} // an address of no interest before may be of some now
	for _, f := range e.findings {
		for _, t := range f.hits {
			old := t.match.Indicator.Families
			if renew(set, &t.match); !slices.Equal(old, t.match.Indicator.Families) {
				t.families = 0 // its bits are places in a list that is no more
			}
		}
	}
	for _, a := range e.names.known {
		renew(set, &a.match)
	}
	for _, h := range e.hosts.byAddr {
		renewWalks(set, h)
	}
}

// renew points m to the Indicator of the same id in set, so that an old Set is not kept
// in memory by what was met.
func renew(set *feeds.Set, m *feeds.Match) {
	if n, ok := set.Match(m.Indicator.ID); ok {
		m.Indicator, m.Vendor = n.Indicator, n.Vendor
	}
}

// renewWalks goes on with the walks that are still known, and drops the others.
func renewWalks(set *feeds.Set, h *host) {
	if h.rare == nil {
		return
	}
	kept := h.rare.walks[:0]
	for _, s := range h.rare.walks {
		for _, w := range set.Walks() {
			if w.Indicator.ID == s.walk.Indicator.ID {
				s.walk = w
				kept = append(kept, s)
				break
			}
		}
	}
	h.rare.walks = kept
}
