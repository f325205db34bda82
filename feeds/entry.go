package feeds

import (
	"encoding"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// indicators returns one Indicator for each value of an entry of the indicator section.
func (e *entry) indicators(p *Pack) ([]*Indicator, error) {
	t, err := e.template(p)
	if err == nil && t.Kind > KindCertificate {
		err = fmt.Errorf("kind %s has a section of its own", t.Kind)
	}
	if err != nil {
		return nil, &fileError{p.File, e.Line, err}
	}
	return e.expand(t), nil
}

// fixed returns the Indicators of an entry whose section says what they are.
func (e *entry) fixed(p *Pack, kind Kind, function Function) ([]*Indicator, error) {
	e.Kind, e.Function = kind.String(), string(function)
	t, err := e.template(p)
	if err != nil {
		return nil, &fileError{p.File, e.Line, err}
	}
	return e.expand(t), nil
}

// expand returns a copy of the template for each value of the entry.
func (e *entry) expand(t Indicator) []*Indicator {
	values := e.Values
	if e.Value != "" {
		values = append([]string{e.Value}, values...)
	}
	list := make([]Indicator, len(values))
	out := make([]*Indicator, len(values))
	for n, v := range values {
		list[n] = t
		list[n].Value = v
		list[n].ID = t.Vendor + ":" + t.Kind.String() + ":" + v
		out[n] = &list[n]
	}
	return out
}

// template returns what the Indicators of an entry have in common.
func (e *entry) template(p *Pack) (Indicator, error) {
	i := Indicator{
		Vendor: p.ID, Product: e.Product, Sources: e.Sources, Seen: e.Seen, Note: e.Note,
		Shared: e.Shared, Misleading: e.Misleading, File: p.File, Line: e.Line,
	}
	err := errors.Join(
		parseText(&i.Kind, e.Kind), parseText(&i.Function, e.Function), parseText(&i.Implies, e.Implies),
		parseText(&i.Confidence, e.Confidence), parseText(&i.Listener, e.Listener),
	)
	if e.Kind == "" {
		err = errors.Join(err, errors.New("an entry needs a kind"))
	}
	if e.Value == "" && len(e.Values) == 0 && len(e.Names) == 0 {
		err = errors.Join(err, errors.New("an entry needs a value or values"))
	}
	for token, name := range e.Products {
		i.Families = append(i.Families, Family{Token: token, Name: name})
	}
	slices.SortFunc(i.Families, func(a, b Family) int { return strings.Compare(a.Token, b.Token) })
	return i, err
}

// parseText reads s into v, and leaves v alone if s is empty.
func parseText(v encoding.TextUnmarshaler, s string) error {
	if s == "" {
		return nil
	}
	return v.UnmarshalText([]byte(s))
}

// walk turns a behaviour into a Walk.
func (e *entry) walk(p *Pack) (*Walk, error) {
	t, err := e.template(p)
	switch {
	case err != nil:
		return nil, err
	case t.Kind != KindResolverWalk:
		return nil, fmt.Errorf("unknown behaviour %q: the only kind is resolver_walk", e.Kind)
	case len(e.Names) == 0:
		return nil, errors.New("a resolver_walk needs names")
	case e.Min < 2 || e.Min > len(e.Resolvers):
		return nil, fmt.Errorf("min is %d: give a number from 2 to the number of resolvers, %d", e.Min, len(e.Resolvers))
	}
	addrs, err := parseAddrs(e.Resolvers)
	if err != nil {
		return nil, err
	}
	e.Value, e.Values = e.Names[0], nil
	return &Walk{Indicator: e.expand(t)[0], Vendor: &p.Vendor, Names: e.Names, Resolvers: addrs, Min: e.Min}, nil
}

// parseAddrs reads addresses, IPv4 in IPv6 as IPv4.
func parseAddrs(list []string) ([]netip.Addr, error) {
	out := make([]netip.Addr, 0, len(list))
	for _, s := range list {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return nil, fmt.Errorf("reading an address: %w", err)
		}
		out = append(out, a.Unmap().WithZone(""))
	}
	return out, nil
}
