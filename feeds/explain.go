package feeds

import (
	"net/netip"
	"strings"
)

// Explanation tells what is known of a name, an address or an identity, and why.
type Explanation struct {
	Query string
	// Name is the canonical form the query was looked up under, empty for an address.
	Name string
	Addr netip.Addr
	// Text is a hardware address, or a field of an identity message and its value, if
	// the query is such.
	Text string
	// Err says why the query cannot be looked up.
	Err     error
	Matches []Match
	// Covered lists indicators of the same vendors that match too and are less specific.
	Covered []*Indicator
	// Traps lists names close to this one that must not match.
	Traps []NearTrap
	// Facts lists what the shared tables say, one sentence each.
	Facts []string
}

// NearTrap is a trap and the vendor it was set for.
type NearTrap struct {
	Vendor string
	Trap
}

// Explain looks a name, an address, a hardware address or a field of an identity
// message (ssdp/server=Linux UPnP/1.0) up in every table. It is meant for people and
// allocates.
func (s *Set) Explain(query string) Explanation {
	e := Explanation{Query: query}
	if a, err := netip.ParseAddr(strings.TrimSpace(query)); err == nil {
		e.Addr = a.Unmap()
		s.explainAddr(&e)
		return e
	}
	if s.explainHost(&e) {
		return e
	}
	e.Name, e.Err = Canonical(query)
	if e.Err == nil {
		s.explainName(&e)
	}
	return e
}

func (s *Set) explainAddr(e *Explanation) {
	e.Matches = s.Addr(e.Addr, nil)
	if r, ok := s.PublicResolver(e.Addr); ok {
		e.Facts = append(e.Facts, "public DNS resolver of "+r)
	}
	if k, ok := s.BlockedAnswer(e.Addr); ok {
		e.Facts = append(e.Facts, "as an answer it means refused by a filter: "+k)
	}
	for _, w := range s.walks {
		if w.Place(e.Addr) >= 0 {
			e.Facts = append(e.Facts, "one of the resolvers of "+w.Indicator.ID)
		}
	}
}

func (s *Set) explainName(e *Explanation) {
	name := []byte(e.Name)
	e.Matches = s.Name(name, nil)
	for _, h := range s.names.find(name, nil) {
		r := &s.rules[h.rule]
		hit := s.apply(name, h, nil, 0)
		if len(hit) > 0 && !contains(e.Matches, r.match.Indicator) {
			e.Covered = append(e.Covered, r.match.Indicator)
		}
	}
	for _, t := range s.traps {
		if near(e.Name, t.trap.Name) {
			e.Traps = append(e.Traps, NearTrap{Vendor: t.vendor.ID, Trap: t.trap})
		}
	}
	s.explainShared(e, name)
}

func (s *Set) explainShared(e *Explanation, name []byte) {
	if s.EncryptedDNS(name) {
		e.Facts = append(e.Facts, "encrypted DNS: a host that uses it hides the names it asks for")
	}
	if p, ok := s.ECHFront(name); ok {
		e.Facts = append(e.Facts, "stands in for an encrypted name: "+p)
	}
	if k, ok := s.BlockedName(name); ok {
		e.Facts = append(e.Facts, "as an answer it means refused by a filter: "+k)
	}
	if customer, owner, ok := s.CNAMEZone(name); ok {
		e.Facts = append(e.Facts, "content network of "+owner+", customer part "+string(customer))
		for _, m := range s.CNAME(name, nil) {
			e.Facts = append(e.Facts, "the customer part meets "+m.Indicator.ID)
		}
	}
	for _, w := range s.walks {
		if w.Covers(name) {
			e.Facts = append(e.Facts, "asked of several public resolvers it is "+w.Indicator.ID)
		}
	}
}

func contains(list []Match, i *Indicator) bool {
	for _, m := range list {
		if m.Indicator == i {
			return true
		}
	}
	return false
}

// near reports whether a name and a trap are the same, or one lies below the other.
func near(name, trap string) bool {
	return under([]byte(name), trap) || under([]byte(trap), name)
}
