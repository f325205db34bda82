package proto

import (
	"encoding/binary"
	"net/netip"

	"telltale/capture"
)

var _ = registerMessage(Message{Proto: capture.ProtoARP, Parse: arpParse})

// arpParse reads a request or reply for IPv4 on Ethernet or alike (RFC 826): the
// sender's pair of addresses. Client and server are sender and target.
func arpParse(b []byte, _ bool, log *capture.Log) error {
	const (
		size       = 28
		ethernet   = 1
		ieee802    = 6
		ipv4       = 0x0800
		request    = 1
		reply      = 2
		otherUses  = 25 // operations of RARP, InARP and the like end below (IANA)
		addressLen = 6<<8 | 4
	)
	if len(b) < size {
		return errIdentity
	}
	hardware, op := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[6:])
	if hardware != ethernet && hardware != ieee802 || binary.BigEndian.Uint16(b[2:]) != ipv4 || binary.BigEndian.Uint16(b[4:]) != addressLen {
		return nil // another kind of network
	}
	sender, target := netip.AddrFrom4([4]byte(b[14:18])), netip.AddrFrom4([4]byte(b[24:28]))
	id := identity{log: log}
	switch {
	case op != request && op != reply:
		if op < 1 || op > otherUses {
			return errIdentity
		}
		return nil
	case sender.IsUnspecified(): // is the address in use? (RFC 5227 §2.1.1)
		id.text(capture.FieldMessage, "probe")
		id.address(capture.FieldRequested, target)
	case sender == target:
		id.text(capture.FieldMessage, "announcement")
	case op == request:
		id.text(capture.FieldMessage, "request")
	default:
		id.text(capture.FieldMessage, "reply")
	}
	id.setMAC(b[8:14])
	id.setAddr(sender)
	o := id.report(capture.ProtoARP)
	o.Client, o.Server = netip.AddrPortFrom(sender, 0), netip.AddrPortFrom(target, 0)
	return nil
}
