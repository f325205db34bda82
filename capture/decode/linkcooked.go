package decode

import (
	"encoding/binary"

	"telltale/capture"
)

var (
	_ = registerLink(capture.LinkSLL, readSLL)
	_ = registerLink(capture.LinkSLL2, readSLL2)
)

const (
	sllHeader  = 16
	sll2Header = 20

	protocolLLC = 0x0004 // Linux ETH_P_802_2, in place of an EtherType

	// Device types (Linux ARPHRD_) whose packets are no IP whatever the protocol
	// field says, since that is a netlink family, or they begin with an 802.11 header.
	deviceDot11    = 801
	devicePrism    = 802
	deviceRadiotap = 803
	deviceNetlink  = 824
)

// readSLL reads a Linux cooked capture header (LINKTYPE_LINUX_SLL).
func readSLL(d *Decoder, s *Segment, v view) Reason {
	b := v.b
	if len(b) < sllHeader {
		return Truncated
	}
	if binary.BigEndian.Uint16(b[4:6]) == 6 {
		s.SrcMAC = [6]byte(b[6:12])
	}
	device, protocol := binary.BigEndian.Uint16(b[2:4]), binary.BigEndian.Uint16(b[14:16])
	return d.cooked(s, device, protocol, v.skip(sllHeader))
}

// readSLL2 reads a Linux cooked capture header, version 2 (LINKTYPE_LINUX_SLL2).
func readSLL2(d *Decoder, s *Segment, v view) Reason {
	b := v.b
	if len(b) < sll2Header {
		return Truncated
	}
	if b[11] == 6 {
		s.SrcMAC = [6]byte(b[12:18])
	}
	device, protocol := binary.BigEndian.Uint16(b[8:10]), binary.BigEndian.Uint16(b[0:2])
	return d.cooked(s, device, protocol, v.skip(sll2Header))
}

func (d *Decoder) cooked(s *Segment, device, protocol uint16, v view) Reason {
	switch {
	case device == deviceDot11:
		return d.readLink(s, linkDot11, v)
	case device == devicePrism:
		return d.readLink(s, linkPrism, v)
	case device == deviceRadiotap:
		return d.readLink(s, linkRadiotap, v)
	case device == deviceNetlink:
		return NotIP
	case protocol == protocolLLC:
		if protocol, v = unwrapLLC(v); protocol == 0 {
			return NotIP
		}
	case protocol < minEtherType:
		return NotIP // Novell raw 802.3, CAN
	}
	return d.network(s, protocol, v)
}
