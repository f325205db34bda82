package feeds

import (
	"fmt"
	"strconv"
	"strings"
)

// Transport protocol numbers (IANA).
const (
	protoTCP = 6
	protoUDP = 17
)

// maxPortRange bounds a range of ports in a pack.
const maxPortRange = 1024

// portTable finds port rules: a bitmap says no to nearly every port at once.
type portTable struct {
	listed [2][65536 / 64]uint64 // TCP, UDP
	rules  []portRule
}

type portRule struct {
	match       Match
	transport   uint8
	first, last uint16
}

func (t *portTable) find(transport uint8, port uint16, dst []Match) []Match {
	side := 0
	switch transport {
	case protoTCP:
	case protoUDP:
		side = 1
	default:
		return dst
	}
	if t.listed[side][port/64]&(1<<(port%64)) == 0 {
		return dst
	}
	for i := range t.rules {
		if r := &t.rules[i]; r.transport == transport && r.first <= port && port <= r.last {
			dst = append(dst, r.match)
		}
	}
	return dst
}

func (t *portTable) add(r portRule) {
	side := 0
	if r.transport == protoUDP {
		side = 1
	}
	for p := int(r.first); p <= int(r.last); p++ {
		t.listed[side][p/64] |= 1 << (p % 64)
	}
	t.rules = append(t.rules, r)
}

// parsePort reads "tcp/13000" or "udp/23100-23199".
func parsePort(s string) (portRule, error) {
	proto, ports, ok := strings.Cut(s, "/")
	r := portRule{transport: protoTCP}
	switch {
	case !ok || proto != "tcp" && proto != "udp":
		return r, fmt.Errorf("port %q: write tcp/13000 or udp/23100-23199", s)
	case proto == "udp":
		r.transport = protoUDP
	}
	from, to, isRange := strings.Cut(ports, "-")
	if !isRange {
		to = from
	}
	first, err1 := strconv.ParseUint(from, 10, 16)
	last, err2 := strconv.ParseUint(to, 10, 16)
	if err1 != nil || err2 != nil || first == 0 || last < first || last-first >= maxPortRange {
		return r, fmt.Errorf("port %q: write one port or a rising range of at most %d", s, maxPortRange)
	}
	r.first, r.last = uint16(first), uint16(last)
	return r, nil
}
