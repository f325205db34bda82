package filter

import "math/bits"

// head fills the cells that the conditions need.
func (c *compiler) head() {
	if !c.needs.ether {
		return
	}
	if c.needs.tags {
		c.do(opLoadConst, 0)
		for i := range uint32(maxTags + 1) {
			c.do(opStore, cellTag+i)
		}
		c.strippedTag()
	}
	c.do(opLoadXConst, uint32(c.frame.network))
	c.ether()
	if c.needs.protocol {
		c.ip()
	}
}

// strippedTag notes the tag that the kernel keeps beside the packet.
func (c *compiler) strippedTag() {
	if !c.stripped {
		return
	}
	has, done := c.newLabel(), c.newLabel()
	c.do(opLoadWord, ancillaryHas)
	c.test(opIfEqual, 0, done, has)
	c.here(has)
	c.do(opLoadWord, ancillaryVLAN)
	c.do(opAnd, 0x0fff)
	c.do(opAdd, 1)
	c.do(opStore, cellTag)
	c.here(done)
}

// ether finds the EtherType and the place of the network header, which is in X first.
func (c *compiler) ether() {
	switch {
	case c.frame.ether >= 0:
		c.do(opLoadHalf, uint32(c.frame.ether))
		c.tags()
	case c.frame.version:
		c.do(opLoadByteX, 0)
		c.do(opAnd, 0xf0)
		c.choose(map[uint16][]uint32{etherIPv4: {0x40}, etherIPv6: {0x60}})
	case c.frame.family:
		c.do(opLoadWord, 0)
		c.choose(families)
	default:
		c.do(opLoadConst, uint32(c.frame.only))
	}
	c.do(opStore, cellEther)
	c.do(opStoreX, cellNetwork)
}

// choose puts into A the EtherType whose list has A, in either byte order; 0 if none has.
func (c *compiler) choose(by map[uint16][]uint32) {
	done := c.newLabel()
	for _, t := range []uint16{etherIPv4, etherIPv6} {
		found, next := c.newLabel(), c.newLabel()
		for _, k := range by[t] {
			for _, k := range []uint32{k, bits.ReverseBytes32(k)} {
				other := c.newLabel()
				c.test(opIfEqual, k, found, other)
				c.here(other)
			}
		}
		c.jump(next)
		c.here(found)
		c.do(opLoadConst, uint32(t))
		c.jump(done)
		c.here(next)
	}
	c.do(opLoadConst, 0)
	c.here(done)
}

// tags passes VLAN tags: A is the EtherType, X the place behind it.
func (c *compiler) tags() {
	done := c.newLabel()
	for i := range uint32(maxTags) {
		tag, second, third := c.newLabel(), c.newLabel(), c.newLabel()
		c.test(opIfEqual, etherVLAN, tag, second)
		c.here(second)
		c.test(opIfEqual, etherQinQ, tag, third)
		c.here(third)
		c.test(opIfEqual, etherOldQ, tag, done)
		c.here(tag)
		if c.needs.tags {
			c.do(opLoadHalfX, 0)
			c.do(opAnd, 0x0fff)
			c.do(opAdd, 1)
			c.do(opStore, cellTag+1+i)
		}
		c.do(opLoadHalfX, 2)
		c.do(opStore, cellEther)
		c.do(opXToA, 0)
		c.do(opAdd, 4)
		c.do(opAToX, 0)
		c.do(opLoadCell, cellEther)
	}
	c.here(done)
}

// ip finds the protocol and the place of the transport header.
func (c *compiler) ip() {
	four, other, six, none, done := c.newLabel(), c.newLabel(), c.newLabel(), c.newLabel(), c.newLabel()
	c.do(opLoadConst, 0)
	c.do(opStore, cellTransport)
	c.do(opLoadXCell, cellNetwork)
	c.do(opLoadCell, cellEther)
	c.test(opIfEqual, etherIPv4, four, other)
	c.here(other)
	c.test(opIfEqual, etherIPv6, six, none)
	c.here(none)
	c.do(opLoadConst, noProtocol)
	c.do(opStore, cellProtocol)
	c.do(opStore, cellNext)
	c.jump(done)
	c.here(four)
	c.ipv4(done)
	c.here(six)
	c.ipv6(done)
	c.here(done)
}

func (c *compiler) ipv4(done label) {
	c.do(opLoadByteX, 9)
	c.do(opStore, cellProtocol)
	c.do(opStore, cellNext)
	if c.needs.transport {
		first := c.newLabel()
		c.do(opLoadHalfX, 6)
		c.test(opIfAny, 0x1fff, done, first)
		c.here(first)
		c.do(opLoadByteX, 0)
		c.do(opAnd, 0x0f)
		c.do(opShiftLeft, 2)
		c.do(opAddX, 0)
		c.do(opStore, cellTransport)
	}
	c.jump(done)
}

// ipv6 looks behind a fragment header and no other, and for ports not even that, as
// pcap-filter(7) does.
func (c *compiler) ipv6(done label) {
	fragment, whole := c.newLabel(), c.newLabel()
	c.do(opLoadByteX, 6)
	c.do(opStore, cellProtocol)
	c.do(opStore, cellNext)
	c.test(opIfEqual, protocolIPv6, fragment, whole)
	c.here(fragment)
	c.do(opLoadByteX, 40)
	c.do(opStore, cellProtocol)
	c.jump(done)
	c.here(whole)
	if c.needs.transport {
		c.do(opXToA, 0)
		c.do(opAdd, 40)
		c.do(opStore, cellTransport)
	}
}
