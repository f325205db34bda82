package detect

import (
	"fmt"
	"net/netip"

	"telltale/capture"
)

// lease takes the word of a DHCP server that s has addr now; owner is who had it by
// what was known before, nil if nobody. What is known of the host goes with it:
//
//   - If s had another address by lease, was given no further one, and is no router,
//     its record moves to addr, with its Findings.
//   - If addr was another's, what was found about that one stays with it, and addr
//     begins anew.
//   - Otherwise the record at addr is taken for that of s.
func (e *Engine) lease(s, owner *station, addr netip.Addr) {
	if !addr.Is4() || s.router || s.many {
		return
	}
	h := e.hosts.get(addr)
	if h != nil && h.isAnothers(s, owner) {
		h = e.succeed(addr)
	}
	if mine := s.leased; mine != nil && mine != h && s.count4() <= 2 { // the old and the new
		e.move(s, mine, addr)
		return
	}
	if h == nil {
		h = e.hostAt(addr)
	}
	if h != nil {
		h.more().lessee, s.leased = s, h
	}
}

// isAnothers says that h is surely the record of another host than s: by lease, or else
// by owner, who had the address by what was known.
func (h *host) isAnothers(s, owner *station) bool {
	if h.rare != nil && h.rare.lessee != nil {
		return h.rare.lessee != s
	}
	return owner != nil && owner != s && owner.mac != [6]byte{}
}

// move gives the record of s the address addr, and leaves an empty one behind.
func (e *Engine) move(s *station, h *host, addr netip.Addr) {
	old := h.Addr
	if old == addr { // back on the address it had
		e.hosts.put(addr, h)
		return
	}
	if e.hosts.get(old) == h {
		e.succeed(old)
	}
	e.stations.release(s, old)
	h.Addr, h.more().before = addr, old
	h.generation = 0
	if n := e.hosts.get(addr); n != nil {
		if h.generation = n.generation; len(n.findings) > 0 {
			h.generation = e.succession()
		}
	}
	e.hosts.put(addr, h)
	for _, f := range h.findings {
		f.Host.Addr, f.touched = addr, true
		e.mark(f)
	}
}

// succeed puts an empty record in the place of the one at addr.
func (e *Engine) succeed(addr netip.Addr) *host {
	n := e.newHost(addr)
	n.generation = e.succession()
	e.hosts.put(addr, n)
	return n
}

// succession returns a number for a host on an address that another had before, so
// that their Findings have different ids.
func (e *Engine) succession() int32 {
	e.successions++
	return e.successions
}

// moved says which address h had before.
func (h *host) moved() []Fact {
	if h.rare == nil || !h.rare.before.IsValid() {
		return nil
	}
	mac := capture.AppendMAC(nil, h.rare.lessee.mac)
	return []Fact{{Text: fmt.Sprintf("the host had the address %s before: DHCP gave its hardware address %s the address %s", h.rare.before, mac, h.Addr)}}
}
