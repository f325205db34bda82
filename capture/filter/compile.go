package filter

import (
	"errors"
	"fmt"

	"golang.org/x/net/bpf"

	"telltale/capture"
)

// Cells of scratch memory that the head of a program fills.
const (
	cellNetwork   = iota // place of the network header
	cellEther            // its EtherType
	cellTransport        // place of the transport header; valid iff not 0
	cellProtocol         // IP protocol, that behind a fragment header with IPv6
	cellNext             // IP protocol as the IP header has it
	cellTag              // three cells: VLAN identifiers + 1, 0 where there is no tag
)

const (
	maxTags      = 2   // in the frame
	noProtocol   = 256 // there is no IP header
	protocolIPv6 = 44  // fragment header (RFC 8200 §4.5)
)

// needs is what of a packet an expression asks for.
type needs struct {
	ether, tags, protocol, transport bool
}

// compiler makes the program of one expression for one link type.
type compiler struct {
	emitter
	frame    frame
	stripped bool
	needs    needs
	err      error
}

// compile makes the program that accepts the packets of link for which n is true.
// stripped says that the kernel keeps the outer VLAN tag beside the packet.
func compile(n node, link capture.LinkType, stripped bool) ([]bpf.RawInstruction, error) {
	f, ok := frameOf(link)
	if !ok {
		return nil, unknownLink(link)
	}
	c := compiler{frame: f, stripped: stripped}
	c.needs.gather(n)
	c.head()
	yes, no := c.newLabel(), c.newLabel()
	c.node(n, yes, no)
	c.here(yes)
	c.do(opReturnConst, wholePacket)
	c.here(no)
	c.do(opReturnConst, 0)
	if c.err != nil {
		return nil, fmt.Errorf("capture filter for link type %s: %w", link, c.err)
	}
	out := c.assemble()
	if len(out) > maxProgram {
		return nil, fmt.Errorf("capture filter: the program has %d instructions, the kernel takes %d: write the networks in fewer prefixes", len(out), maxProgram)
	}
	return out, nil
}

func (x *needs) gather(n node) {
	switch n := n.(type) {
	case and:
		x.gather(n.left)
		x.gather(n.right)
	case or:
		x.gather(n.left)
		x.gather(n.right)
	case not:
		x.gather(n.inner)
	case etherType, network, multicast:
		x.ether = true
	case protocol:
		x.ether, x.protocol = true, true
	case ports:
		x.ether, x.protocol, x.transport = true, true, true
	case vlan:
		x.ether, x.tags = true, true
	}
}

// node jumps to yes or no.
func (c *compiler) node(n node, yes, no label) {
	switch n := n.(type) {
	case and:
		mid := c.newLabel()
		c.node(n.left, mid, no)
		c.here(mid)
		c.node(n.right, yes, no)
	case or:
		mid := c.newLabel()
		c.node(n.left, yes, mid)
		c.here(mid)
		c.node(n.right, yes, no)
	case not:
		c.node(n.inner, no, yes)
	case etherType:
		c.do(opLoadCell, cellEther)
		c.test(opIfEqual, uint32(n.value), yes, no)
	case protocol:
		c.protocol(n, yes, no)
	case ports:
		c.ports(n, yes, no)
	case network:
		c.network(n, yes, no)
	case multicast:
		c.multicast(n, yes, no)
	case vlan:
		c.vlan(n, yes, no)
	case length:
		c.length(n, yes, no)
	case station:
		c.station(n, yes, no)
	case group:
		c.group(yes, no)
	}
}

var errStation = errors.New("packets of this link type have no pair of hardware addresses: leave the conditions on ether and multicast out, or capture Ethernet")

// station compares hardware addresses: destination in bytes 0 to 5, source in 6 to 11.
func (c *compiler) station(n station, yes, no label) {
	if !c.frame.macs {
		c.err = errStation
	}
	high := uint32(n.addr[2])<<24 | uint32(n.addr[3])<<16 | uint32(n.addr[4])<<8 | uint32(n.addr[5])
	low := uint32(n.addr[0])<<8 | uint32(n.addr[1])
	c.ends(n.dir, 6, 0, func(at uint32, yes, no label) {
		mid := c.newLabel()
		c.do(opLoadWord, at+2)
		c.test(opIfEqual, high, mid, no)
		c.here(mid)
		c.do(opLoadHalf, at)
		c.test(opIfEqual, low, yes, no)
	}, yes, no)
}

func (c *compiler) group(yes, no label) {
	if !c.frame.macs {
		c.err = errStation
	}
	c.do(opLoadByte, 0)
	c.test(opIfAny, 1, yes, no)
}

// ends makes a test of the source, the destination or both.
func (c *compiler) ends(dir direction, from, to uint32, test func(at uint32, yes, no label), yes, no label) {
	mid := c.newLabel()
	switch dir {
	case either:
		test(from, yes, mid)
		c.here(mid)
		test(to, yes, no)
	case both:
		test(from, mid, no)
		c.here(mid)
		test(to, yes, no)
	case destination:
		test(to, yes, no)
	default:
		test(from, yes, no)
	}
}

func (c *compiler) length(n length, yes, no label) {
	c.do(opLoadLength, 0)
	if n.atLeast {
		c.test(opIfAtLeast, n.bytes, yes, no)
	} else {
		c.test(opIfGreater, n.bytes, no, yes)
	}
}

func (c *compiler) vlan(n vlan, yes, no label) {
	for i := range uint32(maxTags + 1) {
		next := no
		if i < maxTags {
			next = c.newLabel()
		}
		c.do(opLoadCell, cellTag+i)
		if n.id < 0 {
			c.test(opIfEqual, 0, next, yes)
		} else {
			c.test(opIfEqual, uint32(n.id)+1, yes, next)
		}
		if i < maxTags {
			c.here(next)
		}
	}
}
