package filter

import "net/netip"

// node is a part of an expression that is true or false for a packet.
type node any

// Operators.
type (
	and struct{ left, right node }
	or  struct{ left, right node }
	not struct{ inner node }
)

// direction says which end of a packet is meant.
type direction uint8

const (
	either direction = iota // the source or the destination
	source
	destination
	both // the source and the destination
)

// family is the set of protocols that an address or a port is looked for in.
type family uint8

const (
	inIPv4 family = 1 << iota
	inIPv6
	inARP
	inRARP
	inTCP
	inUDP
	inSCTP

	anyNetwork   = inIPv4 | inIPv6 | inARP | inRARP
	anyTransport = inTCP | inUDP | inSCTP
)

// Primitives.
type (
	// network is host and net: a host has all bits.
	network struct {
		dir    direction
		in     family
		prefix netip.Prefix
	}
	// ports is port and portrange.
	ports struct {
		dir       direction
		in        family
		low, high uint16
	}
	// etherType is a protocol by its EtherType; 0x0800 and 0x86dd on all link types.
	etherType struct{ value uint16 }
	// protocol is a protocol by its IP protocol number.
	protocol struct {
		in     family // inIPv4, inIPv6
		number uint8
	}
	// multicast is a destination address of the family's multicast range.
	multicast struct{ in family }
	// station is a hardware address.
	station struct {
		dir  direction
		addr [6]byte
	}
	// group is a hardware destination address with the group bit.
	group struct{}
	// vlan is a tag with the identifier, any tag if id is negative.
	vlan struct{ id int }
	// length bounds the length on the wire in bytes: at least, or at most.
	length struct {
		atLeast bool
		bytes   uint32
	}
)
