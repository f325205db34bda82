package feeds

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// maxRegex bounds the regular expressions of one pack.
const maxRegex = 500

// Compile makes a Set. It refuses entries that are malformed, with file and line, and
// leaves it to Lint to find those that are unwise.
func Compile(lib *Library, opts Options) (*Set, error) {
	packs, policies, err := choose(lib, opts)
	if err != nil {
		return nil, err
	}
	c := &compiler{
		set: &Set{
			shared: lib.Shared, generation: lib.Generation(), policies: make(map[string][]*Policy),
			asns: make(map[uint32][]Match), ouis: make(ouiTable), identities: make(map[identityKey][]rule),
			byID: make(map[string]Match), listed: listed{urls: make(map[string]uint32)},
		},
	}
	c.set.wants(opts)
	c.feeds(chosen(lib, packs, policies, opts), packs, policies)
	for _, p := range packs {
		c.pack(p)
		for _, q := range policies {
			if binds(q, p) {
				c.set.policies[p.ID] = append(c.set.policies[p.ID], q)
			}
		}
	}
	c.finish(lib, packs, opts.Own)
	if err := errors.Join(c.errs...); err != nil {
		return nil, err
	}
	return c.set, nil
}

// compiler collects what finish turns into tables.
type compiler struct {
	set    *Set
	names  namesBuilder
	dashed namesBuilder
	addrs  []addrRule
	regex  int // expressions of the pack at hand
	errs   []error
}

type addrRule struct {
	prefix netip.Prefix
	match  Match
}

func (c *compiler) pack(p *Pack) {
	c.set.vendors = append(c.set.vendors, &p.Vendor)
	c.set.versions = append(c.set.versions, p.ID+"@"+p.Version)
	c.regex = 0
	for _, list := range [][]*Indicator{p.Indicators, p.Lookalikes, p.Sinkholes, p.generated()} {
		c.set.size += len(list)
		for _, i := range list {
			c.check(i, c.indicator(&p.Vendor, i))
		}
	}
	for _, w := range p.Walks {
		for _, n := range w.Names {
			c.check(w.Indicator, checkName(n))
		}
	}
	for _, w := range p.Walks {
		c.set.byID[w.Indicator.ID] = Match{Indicator: w.Indicator, Vendor: w.Vendor, Kind: w.Indicator.Kind}
	}
	c.set.walks = append(c.set.walks, p.Walks...)
	for _, t := range p.Traps {
		c.set.traps = append(c.set.traps, trapOf{&p.Vendor, t})
	}
}

func (c *compiler) check(i *Indicator, err error) {
	if err != nil {
		c.errs = append(c.errs, &fileError{i.File, i.Line, fmt.Errorf("%s: %w", i.ID, err)})
	}
}

// indicator adds one indicator to the table of its kind.
func (c *compiler) indicator(v *Vendor, i *Indicator) error {
	if _, twice := c.set.byID[i.ID]; twice {
		return errors.New("given twice: remove one")
	}
	m := Match{
		Indicator: i, Vendor: v, Kind: i.Kind,
		Lookalike: i.Kind == KindLookalike, Sinkhole: i.Kind == KindSinkhole,
	}
	c.set.byID[i.ID] = m
	switch i.Kind {
	case KindSuffix, KindExact, KindLookalike:
		return c.name(m, i.Value)
	case KindRegex:
		return c.regexName(m)
	case KindSinkhole:
		if prefix, err := parsePrefix(i.Value); err == nil {
			c.addrs = append(c.addrs, addrRule{prefix, m})
			return nil
		}
		return c.name(m, i.Value)
	case KindCIDR:
		prefix, err := parsePrefix(i.Value)
		c.addrs = append(c.addrs, addrRule{prefix, m})
		return err
	default:
		return c.other(m)
	}
}

// other adds an indicator that is neither a name nor an address.
func (c *compiler) other(m Match) error {
	s, value := c.set, m.Indicator.Value
	switch m.Kind {
	case KindASN:
		n, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return fmt.Errorf("AS number %q: give a number below 2^32", value)
		}
		s.asns[uint32(n)] = append(s.asns[uint32(n)], m)
	case KindOUI:
		oui, err := parseOUI(value)
		if err != nil {
			return err
		}
		s.ouis[oui] = append(s.ouis[oui], m)
	case KindIdentity:
		return c.identity(m)
	case KindCertificate:
		return c.certificate(m)
	case KindPath, KindUserAgent:
		return c.expression(m)
	case KindBodyMagic, KindBodyText:
		return c.body(m)
	case KindPort:
		r, err := parsePort(value)
		if err != nil {
			return err
		}
		r.match = m
		s.ports.add(r)
	}
	return nil
}

func (c *compiler) name(m Match, value string) error {
	if err := checkName(value); err != nil {
		return err
	}
	r := uint32(len(c.set.rules))
	c.set.rules = append(c.set.rules, rule{match: m})
	c.names.add(value, r)
	if m.Kind.IsName() {
		c.dashed.add(strings.ReplaceAll(value, ".", "-"), r)
	}
	return nil
}

// countRegex bounds the expressions of a pack.
func (c *compiler) countRegex() error {
	if c.regex++; c.regex > maxRegex {
		return fmt.Errorf("more than %d regular expressions in one pack: use suffixes", maxRegex)
	}
	return nil
}

// patternRule makes the rule of an indicator that is the expression expr.
func (c *compiler) patternRule(m Match, expr string) (rule, error) {
	p, err := compilePattern(expr)
	if err = cmp.Or(err, c.countRegex()); err != nil {
		return rule{}, err
	}
	return rule{match: m, pat: &p}, nil
}

func (c *compiler) regexName(m Match) error {
	domain, p, err := nameAnchor(m.Indicator.Value)
	if err = cmp.Or(err, c.countRegex()); err != nil {
		return err
	}
	if err := checkName(domain); err != nil {
		return err
	}
	c.names.add(domain, uint32(len(c.set.rules)))
	c.set.rules = append(c.set.rules, rule{match: m, pat: &p})
	return nil
}

func (c *compiler) expression(m Match) error {
	r, err := c.patternRule(m, m.Indicator.Value)
	if err != nil {
		return err
	}
	if m.Kind == KindPath {
		c.set.paths = append(c.set.paths, r)
	} else {
		c.set.agents = append(c.set.agents, r)
	}
	return nil
}

func (c *compiler) body(m Match) error {
	r := bodyRule{match: m, want: []byte(m.Indicator.Value)}
	if m.Kind == KindBodyMagic {
		want, err := magic(m.Indicator.Value)
		if err != nil {
			return err
		}
		r.want, r.atHead = want, true
	}
	if len(r.want) < 4 || len(r.want) > 256 {
		return fmt.Errorf("%d bytes to look for: give 4 to 256", len(r.want))
	}
	if len(m.Indicator.Families) > 64 {
		return errors.New("more than 64 product families in one entry")
	}
	for _, f := range m.Indicator.Families {
		if f.Token == "" {
			return errors.New("a product family with an empty text")
		}
		r.tokens = append(r.tokens, []byte(f.Token))
	}
	c.set.bodies = append(c.set.bodies, r)
	return nil
}

// finish builds the tables.
func (c *compiler) finish(lib *Library, packs []*Pack, own []string) {
	s := c.set
	slices.SortFunc(s.vendors, func(a, b *Vendor) int { return strings.Compare(a.ID, b.ID) })
	s.names = c.names.build()
	c.dashed.t.dashed = true
	s.dashed = c.dashed.build()
	c.insertAddrs()
	c.errs = append(c.errs, s.lookups.build(&lib.Shared))
	looks, err := compileLookalikes(packs, lib.Shared.CNAMEs, own)
	s.looks = looks
	c.errs = append(c.errs, err)
}

// insertAddrs fills the address table so that the longest prefix of an address carries
// what the shorter ones around it say of other vendors.
func (c *compiler) insertAddrs() {
	slices.SortStableFunc(c.addrs, func(a, b addrRule) int { return cmp.Compare(a.prefix.Bits(), b.prefix.Bits()) })
	for _, r := range c.addrs {
		if !r.prefix.IsValid() {
			continue
		}
		list := []Match{r.match}
		around, _ := c.set.addrs.LookupPrefix(r.prefix)
		for _, m := range around {
			same := m.Vendor == r.match.Vendor && m.Sinkhole == r.match.Sinkhole
			if !same {
				list = append(list, m)
			}
		}
		c.set.addrs.Insert(r.prefix, list)
	}
}
