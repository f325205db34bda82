package decode

import (
	"encoding/binary"

	"telltale/capture"
)

// Both ICMP versions put the quoted packet behind eight bytes.
const icmpHeader = 8

// icmp4 tells destination unreachable, except "fragmentation needed", from other
// ICMP messages (RFC 792).
func icmp4(s *Segment, v view) Reason {
	const (
		unreachable         = 3
		fragmentationNeeded = 4
	)
	b := v.b
	if len(b) < icmpHeader {
		return v.short(icmpHeader)
	}
	if b[0] == unreachable && b[1] != fragmentationNeeded && quoted4(s, b[icmpHeader:]) {
		return Unreachable
	}
	return ICMP
}

// icmp6 tells destination unreachable (RFC 4443 §3.1) and neighbour discovery from
// other ICMPv6 messages.
func icmp6(s *Segment, v view) Reason {
	const unreachable = 1
	b := v.b
	if len(b) < icmpHeader {
		return v.short(icmpHeader)
	}
	if b[0] == unreachable && quoted6(s, b[icmpHeader:]) {
		return Unreachable
	}
	if neighbour(s, b[0]) {
		return s.message(capture.ProtoNDP, protocolICMPv6, v)
	}
	return ICMP
}

// quoted4 fills s with the flow of the quoted IPv4 packet. Lengths in it are not
// looked at: it is cut, and some hosts change them.
func quoted4(s *Segment, b []byte) bool {
	if len(b) < ipv4Header || b[0]>>4 != 4 {
		return false
	}
	header := int(b[0]&0x0f) * 4
	first := binary.BigEndian.Uint16(b[6:8])&fragmentOffset4 == 0
	if header < ipv4Header || header > len(b) || !first || !quotedPorts(s, b[9], b[header:]) {
		return false
	}
	mapIPv4(&s.Src, b[12:16])
	mapIPv4(&s.Dst, b[16:20])
	return true
}

// quoted6 fills s with the flow of the quoted IPv6 packet.
func quoted6(s *Segment, b []byte) bool {
	if len(b) < ipv6Header || b[0]>>4 != 6 {
		return false
	}
	next, v, r := b[6], view{b[ipv6Header:], len(b) - ipv6Header}, OK
	for range maxExtensions + 1 {
		switch next {
		case protocolHopByHop, protocolRouting, protocolDestination,
			protocolMobility, protocolHIP, protocolShim6:
			next, v, r = extension(v)
		case protocolAH:
			next, v, r = authentication(v)
		case protocolFragment:
			next, v, r = quotedFragment(v)
		default:
			if !quotedPorts(s, next, v.b) {
				return false
			}
			s.Src = [16]byte(b[8:24])
			s.Dst = [16]byte(b[24:40])
			return true
		}
		if r != OK {
			return false
		}
	}
	return false
}

// quotedFragment passes the fragment header of a first fragment.
func quotedFragment(v view) (uint8, view, Reason) {
	if len(v.b) < fragmentHeader6 {
		return 0, v, Truncated
	}
	if binary.BigEndian.Uint16(v.b[2:4])&fragmentOffset6 != 0 {
		return 0, v, FragmentDropped
	}
	return passHeader(v, fragmentHeader6)
}

// quotedPorts fills s from the first bytes of the quoted transport header; eight of
// them are always quoted (RFC 792).
func quotedPorts(s *Segment, protocol uint8, b []byte) bool {
	if len(b) < 8 || protocol != protocolTCP && protocol != protocolUDP {
		return false
	}
	s.Protocol = protocol
	s.SrcPort = binary.BigEndian.Uint16(b[0:2])
	s.DstPort = binary.BigEndian.Uint16(b[2:4])
	if protocol == protocolTCP {
		s.Seq = binary.BigEndian.Uint32(b[4:8])
	}
	return true
}
