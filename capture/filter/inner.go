package filter

import "encoding/binary"

// protocol tests the IP protocol.
func (c *compiler) protocol(n protocol, yes, no label) {
	if n.in != inIPv4|inIPv6 {
		want := uint32(etherIPv4)
		if n.in == inIPv6 {
			want = etherIPv6
		}
		ip := c.newLabel()
		c.do(opLoadCell, cellEther)
		c.test(opIfEqual, want, ip, no)
		c.here(ip)
	}
	next := c.newLabel()
	c.do(opLoadCell, cellProtocol)
	c.test(opIfEqual, uint32(n.number), yes, next)
	c.here(next)
	c.do(opLoadCell, cellNext)
	c.test(opIfEqual, uint32(n.number), yes, no)
}

// ports tests the ports of TCP, UDP and SCTP, which lie at the same place.
func (c *compiler) ports(n ports, yes, no label) {
	right := c.newLabel()
	c.do(opLoadCell, cellNext)
	for _, p := range []struct {
		in     family
		number uint32
	}{{inTCP, 6}, {inUDP, 17}, {inSCTP, 132}} {
		if n.in&p.in != 0 {
			next := c.newLabel()
			c.test(opIfEqual, p.number, right, next)
			c.here(next)
		}
	}
	c.jump(no)
	c.here(right)
	there := c.newLabel()
	c.do(opLoadCell, cellTransport)
	c.test(opIfEqual, 0, no, there)
	c.here(there)
	c.do(opAToX, 0)
	c.ends(n.dir, 0, 2, func(at uint32, yes, no label) {
		c.do(opLoadHalfX, at)
		if n.low == n.high {
			c.test(opIfEqual, uint32(n.low), yes, no)
			return
		}
		enough := c.newLabel()
		c.test(opIfAtLeast, uint32(n.low), enough, no)
		c.here(enough)
		c.test(opIfGreater, uint32(n.high), no, yes)
	}, yes, no)
}

// network tests addresses of IP and ARP packets.
func (c *compiler) network(n network, yes, no label) {
	for _, p := range []struct {
		in       family
		ether    uint32
		from, to uint32
	}{
		{inIPv4, etherIPv4, 12, 16},
		{inIPv6, etherIPv6, 8, 24},
		{inARP, etherARP, 14, 24},
		{inRARP, etherRARP, 14, 24},
	} {
		if n.in&p.in == 0 {
			continue
		}
		right, next := c.newLabel(), c.newLabel()
		c.do(opLoadCell, cellEther)
		c.test(opIfEqual, p.ether, right, next)
		c.here(right)
		c.do(opLoadXCell, cellNetwork)
		c.ends(n.dir, p.from, p.to, func(at uint32, yes, no label) { c.prefix(n, at, yes, no) }, yes, no)
		c.here(next)
	}
	c.jump(no)
}

// prefix compares the address at X + at, a word at a time.
func (c *compiler) prefix(n network, at uint32, yes, no label) {
	addr, left := n.prefix.Addr().AsSlice(), n.prefix.Bits()
	for ; left > 0; left -= 32 {
		c.do(opLoadWordX, at)
		if left < 32 {
			c.do(opAnd, ^uint32(0)<<(32-left))
		}
		next := yes
		if left > 32 {
			next = c.newLabel()
		}
		c.test(opIfEqual, binary.BigEndian.Uint32(addr), next, no)
		if left > 32 {
			c.here(next)
		}
		at, addr = at+4, addr[4:]
	}
	if n.prefix.Bits() == 0 {
		c.jump(yes)
	}
}

// multicast tests the destination: 224.0.0.0 and above, as pcap-filter(7) does, or ff00::/8.
func (c *compiler) multicast(n multicast, yes, no label) {
	ether, at, least := uint32(etherIPv4), uint32(16), uint32(224)
	if n.in == inIPv6 {
		ether, at, least = etherIPv6, 24, 255
	}
	right := c.newLabel()
	c.do(opLoadCell, cellEther)
	c.test(opIfEqual, ether, right, no)
	c.here(right)
	c.do(opLoadXCell, cellNetwork)
	c.do(opLoadByteX, at)
	c.test(opIfAtLeast, least, yes, no)
}
