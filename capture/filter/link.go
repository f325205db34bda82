package filter

import (
	"fmt"

	"telltale/capture"
)

// EtherTypes (IANA "IEEE 802 Numbers").
const (
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherRARP = 0x8035
	etherIPv6 = 0x86dd
	etherVLAN = 0x8100
	etherQinQ = 0x88a8
	etherOldQ = 0x9100

	minEtherType = 0x0600 // less is the length of an 802.3 frame
)

// frame says how the frames of a link type begin.
type frame struct {
	ether   int  // place of the EtherType, negative if there is none
	network int  // place of what follows
	version bool // the packet begins with IP; its version says which
	family  bool // it begins with an address family of four bytes
	only    uint16
	macs    bool // it begins with two hardware addresses
}

// frameOf returns how frames of link begin; false if expressions do not know it.
func frameOf(link capture.LinkType) (frame, bool) {
	switch link {
	case capture.LinkEthernet:
		return frame{ether: 12, network: 14, macs: true}, true
	case capture.LinkSLL:
		return frame{ether: 14, network: 16}, true
	case capture.LinkSLL2:
		return frame{ether: 0, network: 20}, true
	case capture.LinkRaw, capture.LinkRawOld, capture.LinkRawBSD:
		return frame{ether: -1, version: true}, true
	case capture.LinkIPv4:
		return frame{ether: -1, only: etherIPv4}, true
	case capture.LinkIPv6:
		return frame{ether: -1, only: etherIPv6}, true
	case capture.LinkNull, capture.LinkLoop:
		return frame{ether: -1, network: 4, family: true}, true
	}
	return frame{}, false
}

// families are the address families of a loopback header by what they announce: IPv6
// has another number on each system, and either byte order occurs.
var families = map[uint16][]uint32{
	etherIPv4: {2},
	etherIPv6: {24, 28, 30, 10, 23},
}

// unknownLink says that expressions cannot be compiled for link.
func unknownLink(link capture.LinkType) error {
	return fmt.Errorf("capture filter: expressions are not known for packets of link type %s: %s, made for the same link type", link, program)
}
