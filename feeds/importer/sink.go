package importer

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"go4.org/netipx"
	"golang.org/x/net/publicsuffix"

	"telltale/feeds"
)

// sink checks what a format reads, and collects it.
type sink struct {
	opts  Options
	feed  *feeds.Feed
	rep   *Report
	reach feeds.Reach // of a name that the format says nothing more of
	fixed bool        // the operator said what names stand for
	buf   [256]byte
}

// full reports whether as much was taken as may be.
func (s *sink) full() bool { return s.rep.Taken() > s.opts.MaxEntries }

// bad counts a line that cannot be taken.
func (s *sink) bad(line int, format string, args ...any) {
	s.rep.Bad++
	if len(s.rep.Shown) < s.opts.MaxShown {
		s.rep.Shown = append(s.rep.Shown, BadLine{line, fmt.Sprintf(format, args...)})
	}
}

// skip counts something well-formed that is of no use.
func (s *sink) skip(what string) {
	if s.rep.Skipped == nil {
		s.rep.Skipped = make(map[string]int)
	}
	s.rep.Skipped[what]++
}

// name takes a domain name.
func (s *sink) name(line int, text []byte, reach feeds.Reach) {
	if s.fixed {
		reach = s.reach
	}
	c, err := s.canonical(text)
	if err != nil {
		s.bad(line, "%v", err)
		return
	}
	if reach != feeds.ReachExact {
		if suffix, _ := publicsuffix.PublicSuffix(string(c)); suffix == string(c) {
			s.bad(line, "%q is a public suffix: its names belong to many owners", c)
			return
		}
		if s.opts.Shared != nil {
			if owner, ok := s.opts.Shared(string(c)); ok {
				s.bad(line, "%q is given out to customers of %s", c, owner)
				return
			}
		}
	}
	s.feed.AddName(c, reach)
	s.rep.Names++
}

// canonical returns a name as look-ups expect it. Most names are so already, or nearly.
func (s *sink) canonical(text []byte) ([]byte, error) {
	text = bytes.TrimSuffix(text, []byte("."))
	if len(text) == 0 || len(text) > 253 {
		return nil, fmt.Errorf("%.80q is no domain name: it has %d bytes, give 1 to 253", text, len(text))
	}
	c := s.buf[:0]
	for _, b := range text {
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		if !hostByte(b) {
			return s.foreign(text)
		}
		c = append(c, b)
	}
	if err := checkLabels(c); err != nil {
		return nil, fmt.Errorf("%.80q is no domain name: %w", text, err)
	}
	return c, s.notAddress(c)
}

// hostByte says whether c occurs in names of hosts and services (RFC 952, RFC 2782).
func hostByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
}

// checkLabels holds the labels of a name against RFC 1035 §2.3.4.
func checkLabels(c []byte) error {
	if bytes.IndexByte(c, '.') < 0 {
		return errors.New("it has no dot")
	}
	for label := range bytes.SplitSeq(c, []byte(".")) {
		if len(label) == 0 || len(label) > 63 {
			return errors.New("a label is empty or longer than 63 bytes")
		}
	}
	return nil
}

// foreign returns the ASCII form of a name that is not plain.
func (s *sink) foreign(text []byte) ([]byte, error) {
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("%.80q is no domain name: it is not UTF-8", text)
	}
	c, err := feeds.Canonical(string(text))
	if err != nil {
		return nil, fmt.Errorf("%.80q is no domain name", text)
	}
	for i := range len(c) {
		if !hostByte(c[i]) {
			return nil, fmt.Errorf("%.80q is no domain name: it holds %q", text, c[i])
		}
	}
	if !strings.Contains(c, ".") {
		return nil, fmt.Errorf("%.80q is no domain name: it has no dot", text)
	}
	return append(s.buf[:0], c...), nil
}

// notAddress refuses names that end in digits only: those are addresses gone wrong.
func (s *sink) notAddress(c []byte) error {
	last := c[bytes.LastIndexByte(c, '.')+1:]
	for _, b := range last {
		if b < '0' || b > '9' {
			return nil
		}
	}
	return fmt.Errorf("%q is neither a name nor an address", c)
}

// minBits are the shortest prefixes taken: a list that holds a shorter one is in error,
// or means the whole Internet.
const (
	minBits4 = 6
	minBits6 = 12
)

// localRanges are no place in the Internet (RFC 6890); a list that holds one means
// packets that should not be there.
var localRanges = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("224.0.0.0/3"), netip.MustParsePrefix("::/127"), netip.MustParsePrefix("fe80::/10"),
	netip.MustParsePrefix("ff00::/8"),
}

// privateRanges are networks of one's own (RFC 1918, RFC 4193, RFC 6598): a part of one
// can be meant, the whole cannot.
var privateRanges = [...]netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("fc00::/7"),
}

// isLocalRange reports whether p lies in a local range, or is all of a private one.
func isLocalRange(p netip.Prefix) bool {
	for _, l := range localRanges {
		if l.Bits() <= p.Bits() && l.Contains(p.Addr()) {
			return true
		}
	}
	return slices.Contains(privateRanges[:], p.Masked())
}

// prefix takes an address range.
func (s *sink) prefix(line int, p netip.Prefix) {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if isLocalRange(p) {
		s.skip("ranges of the machine, the link or all private space")
		return
	}
	shortest := minBits6
	if p.Addr().Is4() {
		shortest = minBits4
	}
	if !p.IsValid() || p.Bits() < shortest {
		s.bad(line, "%s is too large a range: name the networks that are meant", p)
		return
	}
	s.feed.AddPrefix(p.Masked())
	s.rep.Prefixes++
}

// address takes an address, prefix or range (192.0.2.1-192.0.2.9) and reports whether
// text is one.
func (s *sink) address(line int, text string) bool {
	if from, to, ok := strings.Cut(text, "-"); ok {
		a, err := netip.ParseAddr(strings.TrimSpace(from))
		if err != nil {
			return false
		}
		b, err := netip.ParseAddr(strings.TrimSpace(to))
		if err != nil {
			return false
		}
		s.span(line, a, b)
		return true
	}
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		if err == nil {
			s.prefix(line, p)
		}
		return err == nil
	}
	a, err := netip.ParseAddr(text)
	if err == nil {
		a = a.WithZone("")
		s.prefix(line, netip.PrefixFrom(a, a.BitLen()))
	}
	return err == nil
}

// span takes the addresses from a to b, both included.
func (s *sink) span(line int, a, b netip.Addr) {
	r := netipx.IPRangeFrom(a, b)
	if !r.IsValid() {
		s.bad(line, "%s-%s is no rising range of addresses", a, b)
		return
	}
	for _, p := range r.Prefixes() {
		s.prefix(line, p)
	}
}

// url takes a URL. One without a path stands for its host.
func (s *sink) url(line int, text string) {
	host, target, ok := feeds.SplitURL(text)
	if !ok {
		s.bad(line, "%.80q is no URL", text)
		return
	}
	if a, err := netip.ParseAddr(host); err == nil {
		host = a.Unmap().String()
		if target == "/" {
			s.address(line, host)
			return
		}
	} else {
		if target == "/" {
			s.name(line, []byte(host), feeds.ReachExact)
			return
		}
		c, err := s.canonical([]byte(host))
		if err != nil {
			s.bad(line, "%v", err)
			return
		}
		host = string(c)
	}
	if !s.feed.AddURL(host, target) {
		s.bad(line, "%.80q is too long a URL", text)
		return
	}
	s.rep.URLs++
}

// asn takes an autonomous system.
func (s *sink) asn(line int, text string) {
	n, ok := parseASN(text)
	if !ok {
		s.bad(line, "%.40q is no AS number", text)
		return
	}
	s.feed.AddASN(n)
	s.rep.ASNs++
}

// value takes text that is an address, a URL or a name.
func (s *sink) value(line int, text string, reach feeds.Reach) {
	switch {
	case strings.Contains(text, "://"):
		s.url(line, text)
	case s.address(line, text):
	case len(text) > 2 && strings.EqualFold(text[:2], "AS") && strings.Trim(text[2:], "0123456789") == "":
		s.asn(line, text)
	default:
		s.name(line, []byte(text), reach)
	}
}
