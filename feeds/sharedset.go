package feeds

import "net/netip"

// PublicResolver returns the operator of a public DNS resolver.
func (s *Set) PublicResolver(a netip.Addr) (name string, ok bool) {
	i, ok := s.lookups.resolvers.Lookup(a.Unmap().WithZone(""))
	if !ok {
		return "", false
	}
	return s.shared.Resolvers[i].Name, true
}

// EncryptedDNS reports whether a canonical name is one a public resolver offers
// encrypted DNS under: who reaches it hides the names it asks for.
func (s *Set) EncryptedDNS(name []byte) bool {
	_, ok := s.lookups.encrypted.longest(name)
	return ok
}

// BlockedAnswer returns the kind of refusal an answered address stands for.
func (s *Set) BlockedAnswer(a netip.Addr) (kind string, ok bool) {
	i, ok := s.lookups.blocked.Lookup(a.Unmap().WithZone(""))
	if !ok {
		return "", false
	}
	return s.shared.Blocked[i].Kind, true
}

// BlockedName returns the kind of refusal a CNAME target stands for.
func (s *Set) BlockedName(name []byte) (kind string, ok bool) {
	h, ok := s.lookups.blockedName.longest(name)
	if !ok {
		return "", false
	}
	return s.shared.Blocked[h.rule].Kind, true
}

// BlockedEDE reports whether an extended DNS error (RFC 8914) says "refused by a filter".
func (s *Set) BlockedEDE(code uint16) bool {
	t := &s.lookups.ede
	return int(code) < len(t)*8 && t[code/8]&(1<<(code%8)) != 0
}

// SharedASN returns the name of the network if the AS serves many owners: its country
// means nothing, and its addresses never show more than Located.
func (s *Set) SharedASN(n uint32) (name string, ok bool) {
	name, ok = s.lookups.hosts[n]
	return name, ok
}

// ECHFront returns the provider if the server name is one that stands in for an
// encrypted one.
func (s *Set) ECHFront(name []byte) (provider string, ok bool) {
	h, ok := s.lookups.fronts.longest(name)
	if !ok || h.start != 0 {
		return "", false
	}
	return s.shared.Fronts[h.rule].Provider, true
}

// CNAMEZone returns the part of a CNAME target that names the customer of a content
// network, and the network's owner: kaspersky.com of kaspersky.com.edgekey.net. In
// some zones the dots of that part are written as hyphens.
func (s *Set) CNAMEZone(target []byte) (customer []byte, owner string, ok bool) {
	h, ok := s.lookups.cnames.longest(target)
	if !ok || h.start == 0 {
		return nil, "", false
	}
	return target[:h.start-1], s.shared.CNAMEs[h.rule].Owner, true
}

// CNAME appends the Matches of the customer's name in a CNAME target under the zone of
// a content network. It supports what the name asked for says and replaces it never.
func (s *Set) CNAME(target []byte, dst []Match) []Match {
	h, ok := s.lookups.cnames.longest(target)
	if !ok || h.start == 0 {
		return dst
	}
	table := &s.names
	if s.shared.CNAMEs[h.rule].Dashed {
		table = &s.dashed
	}
	customer, base := target[:h.start-1], len(dst)
	var buf [hitBuffer]hit
	for _, h := range table.find(customer, buf[:0]) {
		if s.rules[h.rule].match.Indicator.Kind.IsName() {
			dst = s.apply(customer, h, dst, base)
		}
	}
	return dst
}
