package filter

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
)

// id reads the value that qualifiers ask for, and remembers them for the next.
func (p *parser) id(q qualifiers) (node, error) {
	p.last = &q
	t := p.next()
	if t.text == "" {
		return nil, p.unexpected(t)
	}
	switch q.kind {
	case portKind, portRangeKind:
		return p.port(t, q)
	case netKind:
		return p.net(t, q)
	}
	if k, err := strconv.ParseUint(t.text, 10, 16); err == nil {
		return nil, p.wrong(t, "a number is no address: write 'port %d', or quote the whole expression if a word is missing", k)
	}
	if strings.Contains(t.text, "/") {
		return nil, p.wrong(t, "a host has no prefix length: write 'net %s'", t.text)
	}
	a, err := netip.ParseAddr(t.text)
	if err != nil || a.Zone() != "" {
		return nil, p.noAddress(t)
	}
	return p.within(t, q, netip.PrefixFrom(a, a.BitLen()))
}

// noAddress says why a word is not an address.
func (p *parser) noAddress(t token) error {
	if p.starts(t.text) || joins(t.text) || t.text == "(" || t.text == ")" {
		return p.wrong(t, "an address is missing before this word")
	}
	return p.wrong(t, "this is no IPv4 or IPv6 address: names are not looked up here, write the address as in 'host 192.0.2.1'")
}

// within makes the condition, with the protocols that have addresses of that kind.
func (p *parser) within(t token, q qualifiers, pre netip.Prefix) (node, error) {
	pre = netip.PrefixFrom(pre.Addr().Unmap(), pre.Bits()-(pre.Addr().BitLen()-pre.Addr().Unmap().BitLen()))
	in := q.in
	if q.proto == "" {
		in = anyNetwork
	}
	if pre.Addr().Is4() {
		in &^= inIPv6
	} else {
		in &= inIPv6
	}
	if in == 0 {
		return nil, p.wrong(t, "%s has no addresses of this kind: write 'host %s'", q.proto, t.text)
	}
	return network{q.dir, in, pre}, nil
}

// net reads a network: a prefix, an address with mask, or the leading bytes of an
// IPv4 address.
func (p *parser) net(t token, q qualifiers) (node, error) {
	base, bits, hasBits := strings.Cut(t.text, "/")
	addr, size, err := leading(base)
	if err != nil {
		return nil, p.noAddress(t)
	}
	switch {
	case hasBits:
		n, err := strconv.ParseUint(bits, 10, 8)
		if err != nil || int(n) > addr.BitLen() {
			return nil, p.wrong(t, "the prefix length must be a number up to %d", addr.BitLen())
		}
		size = int(n)
	case p.peek().text == "mask":
		p.next()
		m := p.next()
		mask, err := netip.ParseAddr(m.text)
		if err != nil || !mask.Is4() || !addr.Is4() {
			return nil, p.wrong(m, "mask needs an IPv4 mask after an IPv4 network, as in 'net 192.0.2.0 mask 255.255.255.0'")
		}
		bytes := mask.As4()
		ones := leadingOnes(binary.BigEndian.Uint32(bytes[:]))
		if ones < 0 {
			return nil, p.wrong(m, "the ones of this mask have gaps: %s", program)
		}
		size = ones
	}
	pre := netip.PrefixFrom(addr, size)
	if pre.Masked() != pre {
		return nil, p.wrong(t, "this address has bits beyond the network: write 'net %s' or 'host %s'", pre.Masked(), addr)
	}
	return p.within(t, q, pre)
}

// leading reads an address of which the last bytes may be missing, and the number of
// bits that are there.
func leading(s string) (netip.Addr, int, error) {
	parts := strings.Count(s, ".") + 1
	full := s
	if !strings.Contains(s, ":") && parts < 4 {
		full += strings.Repeat(".0", 4-parts)
	}
	a, err := netip.ParseAddr(full)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, 0, errValue
	}
	if a.Is4() {
		return a, 8 * min(parts, 4), nil
	}
	return a, a.BitLen(), nil
}

// leadingOnes returns the number of ones m begins with, -1 if others follow.
func leadingOnes(m uint32) int {
	n := 0
	for ; m&(1<<31) != 0; m <<= 1 {
		n++
	}
	if m != 0 {
		return -1
	}
	return n
}

// port reads a port, or two with a hyphen for a range.
func (p *parser) port(t token, q qualifiers) (node, error) {
	in := q.in
	if q.proto == "" {
		in = anyTransport
	}
	low, high := t.text, t.text
	if q.kind == portRangeKind {
		var ok bool
		if low, high, ok = strings.Cut(t.text, "-"); !ok {
			return nil, p.wrong(t, "portrange needs two ports, as in 'portrange 6881-6889'")
		}
	}
	a, err1 := portNumber(low)
	b, err2 := portNumber(high)
	if err1 != nil || err2 != nil {
		if q.kind == portKind && strings.Contains(t.text, "-") {
			return nil, p.wrong(t, "a range of ports is written 'portrange %s'", t.text)
		}
		return nil, p.wrong(t, "a port is a number from 0 to 65535, or one of a few names (docs/filter.md)")
	}
	if a > b {
		a, b = b, a // as libpcap does
	}
	return ports{q.dir, in, a, b}, nil
}

func portNumber(s string) (uint16, error) {
	if n, ok := services[s]; ok {
		return n, nil
	}
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0, errValue
	}
	return uint16(n), nil
}

// ether reads what follows ether.
func (p *parser) ether() (node, error) {
	p.next()
	switch t := p.peek(); {
	case p.take("broadcast"):
		return station{destination, [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, nil
	case p.take("multicast"):
		return group{}, nil
	case p.take("proto"):
		return p.etherProto()
	case t.text == "":
		return nil, p.unexpected(t)
	}
	var q qualifiers
	directed, err := p.direction(&q)
	if err != nil {
		return nil, err
	}
	if !p.take("host") && !directed {
		return nil, p.wrong(p.peek(), "after ether stands host, src, dst, proto, broadcast or multicast")
	}
	t := p.next()
	mac, err := parseMAC(t.text)
	if err != nil {
		return nil, p.wrong(t, "this is no hardware address: write it like 00:00:5e:00:53:01")
	}
	return station{q.dir, mac}, nil
}

// etherProto reads an EtherType.
func (p *parser) etherProto() (node, error) {
	t := p.next()
	if n, ok := etherTypes[strings.TrimPrefix(t.text, `\`)]; ok {
		return etherType{n}, nil
	}
	n, err := strconv.ParseUint(t.text, 0, 16)
	switch {
	case err != nil || n < minEtherType:
		return nil, p.wrong(t, "ether proto needs an EtherType from 0x0600 to 0xffff, or ip, ip6, arp, rarp, lldp")
	case n == etherVLAN || n == etherQinQ || n == etherOldQ:
		return nil, p.wrong(t, "tags are looked through here: write 'vlan'")
	}
	return etherType{uint16(n)}, nil
}

// parseMAC reads six bytes in hexadecimal with : - or . between them.
func parseMAC(s string) (mac [6]byte, err error) {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == ':' || r == '-' || r == '.' })
	for i, part := range parts {
		if len(part) == 1 {
			parts[i] = "0" + part
		}
	}
	b, err := hex.DecodeString(strings.Join(parts, ""))
	if err != nil || len(b) != len(mac) || len(parts) != len(mac) && len(parts) != 3 && len(parts) != 1 {
		return mac, errValue
	}
	return [6]byte(b), nil
}
