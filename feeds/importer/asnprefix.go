package importer

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

var _ = register(Format{
	Name: "asn-prefix", Help: "prefixes by origin: prefix and AS, as in pfx2as and BGP tables", Order: 100,
	looks: func(h *head) bool { return h.most(isASNPrefixLine) },
	read:  readASNPrefix,
})

// origin is a range of addresses and who announces it.
type origin struct {
	first, last netip.Addr // a range, if prefix is invalid
	prefix      netip.Prefix
	asns        []uint32
}

func isASNPrefixLine(line string) bool {
	_, ok := parseOrigin(line)
	return ok
}

// fieldsOf cuts a line at spaces, commas and bars.
func fieldsOf(line string) []string {
	return strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == '|' })
}

// parseOrigin reads a prefix and its AS in either order; the prefix may be written as
// address and length (pfx2as) or as first and last address.
func parseOrigin(line string) (o origin, ok bool) {
	f := fieldsOf(line)
	if len(f) < 2 {
		return o, false
	}
	if list, isASN := parseOrigins(f[0]); isASN {
		o.asns = list
		f = f[1:]
	}
	a, err := netip.ParseAddr(f[0])
	switch {
	case strings.Contains(f[0], "/"):
		if o.prefix, err = netip.ParsePrefix(f[0]); err != nil {
			return o, false
		}
		f = f[1:]
	case err != nil || len(f) < 2:
		return o, false
	default:
		if o.last, err = netip.ParseAddr(f[1]); err == nil {
			o.first = a
		} else {
			bits, err := strconv.Atoi(f[1])
			if err != nil || bits < 0 || bits > a.BitLen() {
				return o, false
			}
			o.prefix = netip.PrefixFrom(a, bits)
		}
		f = f[2:]
	}
	if o.asns == nil && len(f) > 0 {
		o.asns, ok = parseOrigins(f[0])
		return o, ok
	}
	return o, o.asns != nil
}

// parseOrigins reads an AS, or several that announce the same prefix ("64496_64497").
func parseOrigins(s string) ([]uint32, bool) {
	var list []uint32
	for part := range strings.SplitSeq(strings.Trim(s, "{}"), "_") {
		n, ok := parseASN(part)
		if !ok {
			return nil, false
		}
		list = append(list, n)
	}
	return list, true
}

// readASNPrefix takes the ranges of the ASes asked for, or all.
func readASNPrefix(in *input, out *sink) error {
	for {
		line, ok := in.data(out, "#;!")
		if !ok {
			return nil
		}
		o, ok := parseOrigin(string(line))
		switch {
		case !ok:
			out.bad(in.line, "%.80q: write a prefix and the AS that announces it", line)
		case !out.wanted(o.asns):
			out.skip("ranges of other ASes")
		case o.prefix.IsValid():
			out.prefix(in.line, o.prefix)
		default:
			out.span(in.line, o.first, o.last)
		}
	}
}

func (s *sink) wanted(asns []uint32) bool {
	if len(s.opts.ASNs) == 0 {
		return true
	}
	return slices.ContainsFunc(asns, func(n uint32) bool { return slices.Contains(s.opts.ASNs, n) })
}
