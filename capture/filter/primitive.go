package filter

import (
	"strconv"
	"strings"
)

// kind is what a qualified value stands for.
type kind uint8

const (
	hostKind kind = iota
	netKind
	portKind
	portRangeKind
)

var kinds = map[string]kind{"host": hostKind, "net": netKind, "port": portKind, "portrange": portRangeKind}

// qualifiers are what stands before a value.
type qualifiers struct {
	in    family // 0 if not said
	proto string // the word that said it
	dir   direction
	kind  kind
	typed bool // kind was said
}

// starts says whether word can begin a condition.
func (p *parser) starts(word string) bool {
	_, isProtocol := protocolWords[word]
	_, isEther := etherTypes[word]
	_, isKind := kinds[word]
	switch word {
	case "src", "dst", "ether", "vlan", "less", "greater", "proto", "multicast":
		return true
	}
	return isProtocol || isEther || isKind || refused[word] != ""
}

// unknown says what is wrong with a word that is not in the subset.
func (p *parser) unknown(t token) error {
	if hint := refused[t.text]; hint != "" {
		return p.wrong(t, "not in the subset of pcap-filter(7) that is understood here: %s", hint)
	}
	switch {
	case t.text == "":
		return p.unexpected(t)
	case strings.ContainsAny(t.text, "[]=<>&|+*"), t.text == "-", t.text == "/":
		return p.wrong(t, "bytes of a packet and arithmetic are not in the subset that is understood here: %s", program)
	case t.text == "and", t.text == "or", t.text == "&&", t.text == "||":
		return p.wrong(t, "a condition is missing before this")
	}
	return p.wrong(t, "unknown word: conditions begin with host, net, port, portrange, src, dst, ip, ip6, arp, tcp, udp, icmp, icmp6, sctp, proto, ether, vlan, less, greater or not (docs/filter.md)")
}

// primitive reads one condition.
func (p *parser) primitive() (node, error) {
	t := p.peek()
	if _, named := services[t.text]; p.value(t.text) || named && p.last != nil && p.last.kind == portKind {
		if p.last == nil {
			return nil, p.wrong(t, "a value without a word that says what it is: write it like 'host 192.0.2.1' or 'port 53'")
		}
		return p.id(*p.last)
	}
	p.last = nil
	switch t.text {
	case "vlan":
		return p.vlan()
	case "less", "greater":
		return p.length()
	case "ether":
		return p.ether()
	case "multicast":
		p.next()
		return group{}, nil
	}
	return p.qualified()
}

// value says whether a word can only be a value: it begins with a digit or holds a colon.
func (p *parser) value(word string) bool {
	if word == "" {
		return false
	}
	return word[0] >= '0' && word[0] <= '9' || strings.Contains(word, ":") && !strings.ContainsAny(word, "[]")
}

// qualified reads [protocol] [direction] [kind] and the values, or a protocol alone.
func (p *parser) qualified() (node, error) {
	var q qualifiers
	first := p.peek()
	if err := p.protocolQualifier(&q); err != nil {
		return nil, err
	}
	if p.peek().text == "proto" {
		return p.proto(q)
	}
	if q.in&(inIPv4|inIPv6) != 0 && p.take("multicast") {
		return multicast{q.in}, nil
	}
	directed, err := p.direction(&q)
	if err != nil {
		return nil, err
	}
	if k, ok := kinds[p.peek().text]; ok {
		p.next()
		q.kind, q.typed = k, true
	}
	t := p.peek()
	switch {
	case q.typed || directed:
	case q.proto == "":
		return nil, p.unknown(first)
	case !p.value(t.text):
		return word(q.proto), nil
	}
	if err := p.fits(first, &q); err != nil {
		return nil, err
	}
	return p.values(q)
}

// word is the condition that one word makes.
func word(w string) node {
	if pr, ok := protocolWords[w]; ok {
		return pr
	}
	return etherType{etherTypes[w]}
}

func (p *parser) protocolQualifier(q *qualifiers) error {
	t := p.peek()
	_, isProtocol := protocolWords[t.text]
	_, isEther := etherTypes[t.text]
	if !isProtocol && !isEther {
		return nil
	}
	p.next()
	q.proto = t.text
	q.in = map[string]family{
		"ip": inIPv4, "ip6": inIPv6, "arp": inARP, "rarp": inRARP, "tcp": inTCP, "udp": inUDP, "sctp": inSCTP,
	}[t.text]
	return nil
}

// direction reads src, dst, and the two joined.
func (p *parser) direction(q *qualifiers) (bool, error) {
	first := p.peek()
	if !p.take("src", "dst") {
		return false, nil
	}
	q.dir = source
	other := "dst"
	if first.text == "dst" {
		q.dir, other = destination, "src"
	}
	if n := p.tokens[min(p.at+1, len(p.tokens)-1)]; n.text != other || !joins(p.peek().text) {
		return true, nil
	}
	// 'src host A or dst host B' has its kind first; only 'src or dst KIND' is joined.
	q.dir = either
	if j := p.next().text; j == "and" || j == "&&" {
		q.dir = both
	}
	p.next()
	return true, nil
}

func joins(w string) bool { return w == "and" || w == "or" || w == "&&" || w == "||" }

// fits checks that the protocol can have what is asked of it.
func (p *parser) fits(first token, q *qualifiers) error {
	isPort := q.kind == portKind || q.kind == portRangeKind
	switch {
	case q.proto == "":
	case isPort && q.in&anyTransport == 0:
		return p.wrong(first, "%s has no ports: write 'tcp port', 'udp port', 'sctp port' or 'port'", q.proto)
	case !isPort && q.in&anyNetwork == 0:
		return p.wrong(first, "addresses belong to ip, ip6 or arp: write '%s and host ADDRESS'", q.proto)
	}
	return nil
}

// values reads one value, or several in parentheses that share the qualifiers.
func (p *parser) values(q qualifiers) (node, error) {
	if p.peek().text != "(" {
		n, err := p.id(q)
		return n, err
	}
	n, err := p.negated(func() (node, error) { return p.id(q) })
	p.last = nil
	return n, err
}

// proto reads proto and a number or name.
func (p *parser) proto(q qualifiers) (node, error) {
	word := p.next()
	in := q.in
	if q.proto == "" {
		in = inIPv4 | inIPv6
	}
	if in&(inIPv4|inIPv6) == 0 {
		return nil, p.wrong(word, "write 'proto', 'ip proto', 'ip6 proto' or 'ether proto'")
	}
	t := p.next()
	if n, ok := ipProtocols[strings.TrimPrefix(t.text, `\`)]; ok {
		return protocol{in, n}, nil
	}
	n, err := strconv.ParseUint(t.text, 0, 8)
	if err != nil {
		return nil, p.wrong(t, "proto needs a protocol number from 0 to 255, or a name such as gre")
	}
	return protocol{in, uint8(n)}, nil
}

// vlan reads vlan and an identifier, which may be missing.
func (p *parser) vlan() (node, error) {
	word := p.next()
	t := p.peek()
	if !p.value(t.text) {
		if p.bareVLAN {
			return nil, p.wrong(word, "a second 'vlan' without identifier: unlike in tcpdump it would mean the same tag; write 'vlan 10 and vlan 20' for a frame with these two tags")
		}
		p.bareVLAN = true
		return vlan{-1}, nil
	}
	p.next()
	n, err := strconv.ParseUint(t.text, 0, 16)
	if err != nil || n > 4095 {
		return nil, p.wrong(t, "a VLAN identifier is a number from 0 to 4095")
	}
	return vlan{int(n)}, nil
}

// length reads less or greater and a number.
func (p *parser) length() (node, error) {
	word, t := p.next(), p.next()
	n, err := strconv.ParseUint(t.text, 0, 32)
	if err != nil {
		return nil, p.wrong(t, "%s needs a length in bytes, as in '%s 128'", word.text, word.text)
	}
	return length{word.text == "greater", uint32(n)}, nil
}
