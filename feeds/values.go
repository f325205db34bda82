package feeds

import (
	"fmt"
	"net/netip"
)

// checkName reports why a name in a pack cannot be looked up.
func checkName(name string) error {
	c, err := Canonical(name)
	if err != nil {
		return err
	}
	if c != name {
		return fmt.Errorf("%q is not canonical: write %s", name, c)
	}
	for i := range len(name) {
		if !hostByte(name[i]) {
			return fmt.Errorf("%q is no host name: it holds %q, which a YAML list folded over two lines can cause", name, name[i])
		}
	}
	return nil
}

// hostByte says whether c occurs in names of hosts and services (RFC 952, RFC 2782).
func hostByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
}

// parsePrefix reads an address or a prefix without host bits.
func parsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		if a.Zone() != "" || a.Is4In6() {
			return netip.Prefix{}, fmt.Errorf("address %q: write it without zone and not as IPv4 in IPv6", s)
		}
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("reading the prefix: %w", err)
	}
	if p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("prefix %q: write it as IPv4", s)
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("prefix %q has host bits: write %s", s, p.Masked())
	}
	return p, nil
}
