package feeds

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/gaissmai/bart"
)

// listed holds what the Feeds of a Set say of addresses and URLs. The Matches of an
// entry are few and the entries many, so an entry is the number of its list of Matches.
type listed struct {
	addrs bart.Table[uint32]
	urls  map[string]uint32 // host and target
	lists [][]Match
}

// chosen returns the Feeds the options ask for.
func chosen(lib *Library, packs []*Pack, policies []*Policy, opts Options) []*Feed {
	if len(opts.Policies) == 0 && len(opts.Vendors) == 0 {
		return lib.Feeds
	}
	var list []*Feed
	for _, f := range lib.Feeds {
		id := f.Vendor.ID
		has := slices.ContainsFunc(packs, func(p *Pack) bool { return p.ID == id })
		bound := len(opts.Policies) > 0 && slices.ContainsFunc(policies, func(q *Policy) bool { return q.Binding(id) })
		if has || bound || slices.Contains(opts.Vendors, id) {
			list = append(list, f)
		}
	}
	return list
}

// feeds adds the entries of lists. It comes before the packs.
func (c *compiler) feeds(list []*Feed, packs []*Pack, policies []*Policy) {
	if len(list) == 0 {
		return
	}
	entries, text := 0, 0
	for _, p := range packs {
		entries += len(p.Indicators) + len(p.Lookalikes) + len(p.Sinkholes)
	}
	text += entries * maxLabel
	for _, f := range list {
		entries += len(f.names.t.entries)
		text += len(f.names.t.text)
	}
	if text > maxFeedText {
		c.errs = append(c.errs, fmt.Errorf("the lists hold %d bytes of names, more than %d: leave some out", text, maxFeedText))
		return
	}
	c.names.grow(entries, text)
	seen := make(map[string]bool)
	j := listJoiner{index: make(map[string]uint32)}
	for _, f := range list {
		if err := f.Validate(); err != nil || seen[f.Name] {
			if seen[f.Name] {
				err = errors.New("two lists have this name: rename one")
			}
			c.errs = append(c.errs, fmt.Errorf("list %s: %w", f.Name, err))
			continue
		}
		seen[f.Name] = true
		v := c.vendorOf(f, packs, policies)
		c.set.versions = append(c.set.versions, fmt.Sprintf("%s@%x", f.Name, f.Digest[:4]))
		c.set.size += f.Len()
		c.feedNames(f, v)
		j.add(c.set, f, v)
	}
	j.finish(c.set)
}

// vendorOf returns the Vendor of f: that of the pack, or of an earlier list, or its own.
func (c *compiler) vendorOf(f *Feed, packs []*Pack, policies []*Policy) *Vendor {
	for _, p := range packs {
		if p.ID == f.Vendor.ID {
			return &p.Vendor
		}
	}
	if v := c.set.Vendor(f.Vendor.ID); v != nil {
		return v
	}
	v := f.Vendor
	if v.Name == "" {
		v.Name = v.ID
	}
	c.set.vendors = append(c.set.vendors, &v)
	for _, q := range policies {
		if q.Binding(v.ID) {
			c.set.policies[v.ID] = append(c.set.policies[v.ID], q)
		}
	}
	return &v
}

// feedNames adds the names of f: one rule for each reach, however many names.
func (c *compiler) feedNames(f *Feed, v *Vendor) {
	base := uint32(len(c.set.rules))
	exact, suffix := f.indicator(KindExact), f.indicator(KindSuffix)
	for r := range reachCount {
		i := suffix
		if r == ReachExact {
			i = exact
		}
		m := Match{Indicator: i, Vendor: v, Kind: i.Kind}
		c.set.rules = append(c.set.rules, rule{match: m, below: r == ReachBelow})
	}
	for name, r := range f.Names() {
		c.names.addBytes(name, base+uint32(r))
	}
	c.set.byID[exact.ID] = c.set.rules[base].match
	c.set.byID[suffix.ID] = c.set.rules[base+1].match
}

// listJoiner collects the addresses and URLs of Feeds.
type listJoiner struct {
	matches []Match // every one that can be handed out
	addrs   []listedAddr
	lists   [][]uint32        // numbers of matches
	index   map[string]uint32 // lists by their content
}

type listedAddr struct {
	prefix netip.Prefix
	match  uint32
}

func (j *listJoiner) add(s *Set, f *Feed, v *Vendor) {
	cidr, asn, url := f.indicator(KindCIDR), f.indicator(KindASN), f.indicator(KindPath)
	n := uint32(len(j.matches))
	for _, i := range []*Indicator{cidr, url} {
		m := Match{Indicator: i, Vendor: v, Kind: i.Kind}
		j.matches = append(j.matches, m)
		s.byID[i.ID] = m
	}
	for _, p := range f.prefixes {
		j.addrs = append(j.addrs, listedAddr{p, n})
	}
	m := Match{Indicator: asn, Vendor: v, Kind: KindASN}
	s.byID[asn.ID] = m
	for _, as := range f.asns {
		if !slices.Contains(s.asns[as], m) {
			s.asns[as] = append(s.asns[as], m)
		}
	}
	for _, u := range f.urls {
		s.listed.urls[u] = j.with(s.listed.urls[u], n+1)
	}
}

// with returns the number of the list that has match beside what list has. Number 0 is
// the empty list. Of one vendor only the latest is kept.
func (j *listJoiner) with(list, match uint32) uint32 {
	if len(j.lists) == 0 {
		j.lists = append(j.lists, nil)
	}
	numbers := []uint32{match}
	for _, n := range j.lists[list] {
		if j.matches[n].Vendor != j.matches[match].Vendor {
			numbers = append(numbers, n)
		}
	}
	key := make([]byte, 0, 4*len(numbers))
	for _, n := range numbers {
		key = binary.LittleEndian.AppendUint32(key, n)
	}
	at, ok := j.index[string(key)]
	if !ok {
		at = uint32(len(j.lists))
		j.lists = append(j.lists, numbers)
		j.index[string(key)] = at
	}
	return at
}

// finish fills the tables. Short prefixes come first, so that a longer one carries what
// those around it say of other vendors.
func (j *listJoiner) finish(s *Set) {
	slices.SortStableFunc(j.addrs, func(a, b listedAddr) int { return cmp.Compare(a.prefix.Bits(), b.prefix.Bits()) })
	for _, a := range j.addrs {
		around, _ := s.listed.addrs.LookupPrefix(a.prefix)
		s.listed.addrs.Insert(a.prefix, j.with(around, a.match))
	}
	for _, numbers := range j.lists {
		list := make([]Match, len(numbers))
		for i, n := range numbers {
			list[i] = j.matches[n]
		}
		s.listed.lists = append(s.listed.lists, list)
	}
	s.listed.urls = shrunk(s.listed.urls)
}

// shrunk returns nil for an empty map, which costs no look-up.
func shrunk(m map[string]uint32) map[string]uint32 {
	if len(m) == 0 {
		return nil
	}
	return m
}

// addr appends the Matches of an address, of vendors that dst[base:] does not name.
func (l *listed) addr(a netip.Addr, dst []Match, base int) []Match {
	n, ok := l.addrs.Lookup(a)
	if !ok {
		return dst
	}
	known := len(dst)
	for _, m := range l.lists[n] {
		if !hasVendor(dst[base:known], m.Vendor) {
			dst = append(dst, m)
		}
	}
	return dst
}

func hasVendor(list []Match, v *Vendor) bool {
	for i := range list {
		if list[i].Vendor == v && !list[i].Sinkhole {
			return true
		}
	}
	return false
}

// URL appends the Matches of the URL that an HTTP request to a canonical host name asks
// for. An entry without a query stands for its path whatever the query is.
func (s *Set) URL(host, target []byte, dst []Match) []Match {
	if s.listed.urls == nil || len(host) == 0 {
		return dst
	}
	path := targetQuery(target)
	var buf [maxURL]byte
	if len(host)+len(path) > len(buf) {
		return dst
	}
	key := append(append(buf[:0], host...), path...)
	n, ok := s.listed.urls[string(key)]
	if !ok {
		n = s.listed.urls[string(key[:len(host)+len(targetPath(target))])]
	}
	if n == 0 {
		return dst
	}
	return append(dst, s.listed.lists[n]...)
}

// SplitURL returns the host, as written, and the path with the query of a URL; ok is false if s
// is none. A scheme may be left out; user, port and fragment are dropped.
func SplitURL(s string) (host, target string, ok bool) {
	if _, rest, found := strings.Cut(s, "://"); found {
		s = rest
	}
	s, _, _ = strings.Cut(s, "#")
	cut := strings.IndexAny(s, "/?")
	if cut < 0 {
		cut = len(s)
	}
	host, target = s[:cut], s[cut:]
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	return host, target, host != ""
}
