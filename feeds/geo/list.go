package geo

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
)

// Bounds on a list.
const (
	maxListLine   = 4096
	maxListed     = 1 << 20
	maxListErrors = 10
)

// List is a named list of networks.
type List struct {
	Name     string
	Prefixes []netip.Prefix
}

// ReadList reads a list of networks, one prefix or address on a line; what follows a #
// or ; is a comment. Bits behind the prefix are dropped. It tells of the first bad lines
// by name and number, and of a list without any network.
func ReadList(r io.Reader, name string) (List, error) {
	l := List{Name: name}
	var errs []error
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, maxListLine), maxListLine)
	n := 0
	for lines.Scan() && len(errs) < maxListErrors && len(l.Prefixes) <= maxListed {
		n++
		p, err := parseListed(lines.Text(), n == 1)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s line %d: %w", name, n, err))
		case p.IsValid():
			l.Prefixes = append(l.Prefixes, p)
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		errs = append(errs, fmt.Errorf("%s line %d: longer than %d bytes: write one network on each line", name, n+1, maxListLine))
	case err != nil:
		errs = append(errs, fmt.Errorf("reading %s: %w", name, err))
	case len(l.Prefixes) > maxListed:
		errs = append(errs, fmt.Errorf("%s: more than %d networks: join neighbouring ones", name, maxListed))
	case len(errs) == 0 && len(l.Prefixes) == 0:
		errs = append(errs, fmt.Errorf("%s: no network in it: fill it or leave it out", name))
	case len(errs) == maxListErrors:
		errs = append(errs, fmt.Errorf("%s: not read any further after %d bad lines: correct these first", name, maxListErrors))
	}
	if err := errors.Join(errs...); err != nil {
		return List{}, err
	}
	return l, nil
}

// parseListed returns the network on a line, an invalid one if there is none.
func parseListed(line string, first bool) (netip.Prefix, error) {
	if first {
		line = strings.TrimPrefix(line, "\ufeff") // byte order mark
	}
	if i := strings.IndexAny(line, "#;"); i >= 0 {
		line = line[:i]
	}
	line = strings.TrimSpace(line)
	if line == "" {
		return netip.Prefix{}, nil
	}
	var p netip.Prefix
	var err error
	if strings.Contains(line, "/") {
		p, err = netip.ParsePrefix(line)
	} else {
		var a netip.Addr
		a, err = netip.ParseAddr(line)
		p = netip.PrefixFrom(a.WithZone(""), a.BitLen())
	}
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%.64q is neither a network nor an address: write it like 192.0.2.0/24", line)
	}
	return canonical(p)
}

// canonical drops the bits behind a prefix and unwraps an IPv4-mapped one.
func canonical(p netip.Prefix) (netip.Prefix, error) {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	switch {
	case !p.IsValid():
		return netip.Prefix{}, errors.New("not a valid network")
	case p.Bits() == 0:
		return netip.Prefix{}, fmt.Errorf("%s is every address: name the networks that are meant", p)
	}
	return p.Masked(), nil
}
