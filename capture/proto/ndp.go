package proto

import (
	"net/netip"

	"telltale/capture"
)

var _ = registerMessage(Message{Proto: capture.ProtoNDP, Parse: ndpParse})

// Types of ICMPv6 messages (RFC 4861 §4).
const (
	ndpRouterSolicitation    = 133
	ndpRouterAdvertisement   = 134
	ndpNeighbourSolicitation = 135
	ndpNeighbourAdvert       = 136
	ndpRedirect              = 137
)

// ndpParse reads a message of neighbour discovery from its ICMPv6 header on: the pair
// of addresses that it tells.
func ndpParse(b []byte, _ bool, log *capture.Log) error {
	const (
		fixed     = 8
		target    = fixed + 16
		routerBit = 0x80
		sourceMAC = 1 // option types, §4.6
		targetMAC = 2
	)
	if len(b) < fixed {
		return errIdentity
	}
	id := identity{log: log}
	switch b[0] {
	case ndpRouterSolicitation:
		id.text(capture.FieldMessage, "router_solicitation")
		id.setMAC(ndpAddress(b[fixed:], sourceMAC))
	case ndpRouterAdvertisement:
		if len(b) < fixed+8 {
			return errIdentity
		}
		id.text(capture.FieldMessage, "router_advertisement")
		id.router = true
		id.setMAC(ndpAddress(b[fixed+8:], sourceMAC))
	case ndpNeighbourSolicitation:
		if len(b) < target {
			return errIdentity
		}
		id.text(capture.FieldMessage, "neighbor_solicitation")
		if id.setMAC(ndpAddress(b[target:], sourceMAC)); id.mac == [6]byte{} {
			id.address(capture.FieldRequested, netip.AddrFrom16([16]byte(b[fixed:])))
		}
	case ndpNeighbourAdvert:
		if len(b) < target {
			return errIdentity
		}
		id.text(capture.FieldMessage, "neighbor_advertisement")
		id.router = b[4]&routerBit != 0
		id.setAddr(netip.AddrFrom16([16]byte(b[fixed:])))
		id.setMAC(ndpAddress(b[target:], targetMAC))
	case ndpRedirect:
		return nil
	default:
		return errIdentity
	}
	id.report(capture.ProtoNDP)
	return nil
}

// ndpAddress returns the hardware address in the first option of that type, nil if
// there is none. Options are in units of eight bytes (§4.6.1).
func ndpAddress(b []byte, kind byte) []byte {
	const unit = 8
	for len(b) >= unit {
		n := int(b[1]) * unit
		if n == 0 || n > len(b) {
			return nil
		}
		if b[0] == kind && n == unit {
			return b[2:unit]
		}
		b = b[n:]
	}
	return nil
}
