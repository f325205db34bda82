package detect

import (
	"fmt"
	"strings"

	"telltale/capture"
	"telltale/feeds"
)

// walking is how far a host has gone through a vendor's list of public resolvers.
type walking struct {
	walk  *feeds.Walk
	name  uint32 // digest of the name asked
	next  int    // the least place in the list that goes on the walk
	asked []string
	last  int64
	done  bool
}

// walkPause is the longest pause between two steps of a walk.
const walkPause = int64(5 * 60e9)

// maxWalks bounds the walks followed of one host at once.
const maxWalks = 8

// walk follows a question put to a public resolver in the order a product does when
// the system's resolver refuses its names (the order is part of the vendor's pack).
func (e *Engine) walk(h *host, o *capture.Observation) {
	for _, w := range e.set.Walks() {
		place := w.Place(o.Server.Addr())
		if place < 0 || !w.Covers(o.Name) {
			continue
		}
		s := h.walking(w, digest(o.Name))
		if s == nil {
			return
		}
		if o.Time-s.last > walkPause || place == 0 && s.next > 1 {
			s.next, s.asked = 0, s.asked[:0]
		}
		s.last = o.Time
		if place < s.next {
			continue
		}
		s.next = place + 1
		s.asked = append(s.asked, o.Server.Addr().String())
		if len(s.asked) >= w.Min && !s.done {
			s.done = true
			m := feeds.Match{Indicator: w.Indicator, Vendor: w.Vendor, Kind: w.Indicator.Kind}
			e.contact(h, o, m, ByName, fmt.Appendf(nil, "%s from %s in that order", o.Name, strings.Join(s.asked, ", ")))
		}
	}
}

func (h *host) walking(w *feeds.Walk, name uint32) *walking {
	r := h.more()
	for i := range r.walks {
		if r.walks[i].walk == w && r.walks[i].name == name {
			return &r.walks[i]
		}
	}
	if len(r.walks) >= maxWalks {
		return nil
	}
	r.walks = append(r.walks, walking{walk: w, name: name})
	return &r.walks[len(r.walks)-1]
}
