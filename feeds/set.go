package feeds

import (
	"net/netip"

	"github.com/gaissmai/bart"
)

// Set is compiled knowledge. It is immutable and safe for use by many goroutines; its
// look-ups allocate nothing. All of them append to dst and return it, and the Matches
// point into the Set.
type Set struct {
	vendors    []*Vendor // sorted by id
	policies   map[string][]*Policy
	chosen     bool            // the operator chose policies
	asked      map[string]bool // vendors the operator named
	generation string
	versions   []string

	rules  []rule
	names  names // of rules
	dashed names // of rules, dots written as hyphens
	looks  lookalikes
	addrs  bart.Table[[]Match]
	asns   map[uint32][]Match
	ouis   ouiTable
	// identities are patterns by where they are looked for.
	identities map[identityKey][]rule
	certs      [certFieldCount][]rule
	paths      []rule
	agents     []rule
	bodies     []bodyRule
	ports      portTable
	walks      []*Walk
	traps      []trapOf
	shared     Shared
	lookups    sharedTables
	listed     listed
	byID       map[string]Match // of every Indicator
	size       int
}

// rule is a Match ready to be handed out, and the expression it depends on.
type rule struct {
	match Match
	pat   *pattern // nil where the name itself is the rule
	below bool     // the name itself does not count
}

// trapOf is a trap and the pack it belongs to.
type trapOf struct {
	vendor *Vendor
	trap   Trap
}

// hitBuffer holds the hits of one name: more than any real pack can cause.
const hitBuffer = 16

// Name appends the Matches of a canonical name (capture.Observation.Name). For each
// vendor the most specific indicator wins: exact before regex before the longest
// suffix, and a pack's before a list's. A name that no indicator matches may be a
// look-alike.
func (s *Set) Name(name []byte, dst []Match) []Match {
	base := len(dst)
	var buf [hitBuffer]hit
	for _, h := range s.names.find(name, buf[:0]) {
		dst = s.apply(name, h, dst, base)
	}
	if len(dst) == base {
		dst = s.looks.find(name, dst)
	}
	return dst
}

// apply adds the Match of a hit to dst[base:], or replaces a less specific one.
func (s *Set) apply(name []byte, h hit, dst []Match, base int) []Match {
	r := &s.rules[h.rule]
	switch r.match.Kind {
	case KindExact:
		if h.start != 0 {
			return dst
		}
	case KindRegex:
		if !r.pat.match(name) {
			return dst
		}
	}
	if r.below && h.start == 0 {
		return dst
	}
	found := r.match
	found.Start = h.start
	for i := base; i < len(dst); i++ {
		m := &dst[i]
		if m.Vendor == found.Vendor && m.Lookalike == found.Lookalike && m.Sinkhole == found.Sinkhole {
			if supersedes(&found, m) {
				*m = found
			}
			return dst
		}
	}
	return append(dst, found)
}

// supersedes reports whether m, met after old, takes its place. What a pack says goes
// before what a list says.
func supersedes(m, old *Match) bool {
	if pack := m.Indicator.Feed == ""; pack != (old.Indicator.Feed == "") {
		return pack
	}
	return specificity(m.Kind) >= specificity(old.Kind)
}

// specificity orders kinds of name; of equal ones the longer name wins.
func specificity(k Kind) int {
	switch k {
	case KindExact:
		return 2
	case KindRegex:
		return 1
	}
	return 0
}

// Addr appends the Matches of an address: listed prefixes, the longest of each vendor,
// and sinkholes. A prefix never shows more than Located. Of a vendor a pack's prefix
// goes before one on a list.
func (s *Set) Addr(a netip.Addr, dst []Match) []Match {
	a = a.Unmap().WithZone("")
	base := len(dst)
	m, _ := s.addrs.Lookup(a)
	return s.listed.addr(a, append(dst, m...), base)
}

// ASN appends the Matches of an autonomous system number.
func (s *Set) ASN(n uint32, dst []Match) []Match { return append(dst, s.asns[n]...) }

// Path appends the Matches of an HTTP request target, in any form of RFC 9112 §3.2.
// The query does not count.
func (s *Set) Path(target []byte, dst []Match) []Match {
	path := targetPath(target)
	for i := range s.paths {
		if s.paths[i].pat.match(path) {
			dst = append(dst, s.paths[i].match)
		}
	}
	return dst
}

// UserAgent appends the Matches of a User-Agent header field (RFC 9110 §10.1.5).
func (s *Set) UserAgent(ua []byte, dst []Match) []Match {
	for i := range s.agents {
		if s.agents[i].pat.match(ua) {
			dst = append(dst, s.agents[i].match)
		}
	}
	return dst
}

// Port appends the Matches of a transport port on the listening side. transport is the
// IANA protocol number, 6 or 17.
func (s *Set) Port(transport uint8, port uint16, dst []Match) []Match {
	return s.ports.find(transport, port, dst)
}

// Walks returns the resolver walks of all vendors.
func (s *Set) Walks() []*Walk { return s.walks }

// Vendor returns the vendor of that id, nil if it is not in the Set.
func (s *Set) Vendor(id string) *Vendor {
	for _, v := range s.vendors {
		if v.ID == id {
			return v
		}
	}
	return nil
}

// Vendors returns the vendors of the Set, sorted by id. The slice must not be changed.
func (s *Set) Vendors() []*Vendor { return s.vendors }

// Policies returns the policies in force that bind a vendor, sorted by id.
func (s *Set) Policies(vendor string) []*Policy { return s.policies[vendor] }

// Len returns the number of indicators and of entries of lists.
func (s *Set) Len() int { return s.size }

// Generation names the knowledge the Set was made of: 16 hexadecimal digits that
// change with any byte of any file read.
func (s *Set) Generation() string { return s.generation }

// Match returns the Match of the Indicator of that id, as far as it does not depend on
// what was looked up.
func (s *Set) Match(id string) (Match, bool) {
	m, ok := s.byID[id]
	return m, ok
}

// Packs returns "id@version" of every pack in the Set, and "name@digest" of every list,
// each sorted.
func (s *Set) Packs() []string { return s.versions }
