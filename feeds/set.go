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
	paths      []rule
	agents     []rule
	bodies     []bodyRule
	ports      portTable
	walks      []*Walk
	traps      []trapOf
	shared     Shared
	lookups    sharedTables
}

// rule is a Match ready to be handed out, and the expression it depends on.
type rule struct {
	match Match
	pat   *pattern // nil where the name itself is the rule
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
// suffix. A name that no indicator matches may be a look-alike.
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
	for i := base; i < len(dst); i++ {
		m := &dst[i]
		if m.Vendor == r.match.Vendor && m.Lookalike == r.match.Lookalike && m.Sinkhole == r.match.Sinkhole {
			if specificity(r.match.Kind) >= specificity(m.Kind) {
				*m = r.match
			}
			return dst
		}
	}
	return append(dst, r.match)
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
// and sinkholes. A prefix never shows more than Located.
func (s *Set) Addr(a netip.Addr, dst []Match) []Match {
	m, _ := s.addrs.Lookup(a.Unmap().WithZone(""))
	return append(dst, m...)
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

// Generation names the knowledge the Set was made of: 16 hexadecimal digits that
// change with any byte of any file read.
func (s *Set) Generation() string { return s.generation }

// Packs returns "id@version" of every pack in the Set, sorted.
func (s *Set) Packs() []string { return s.versions }
