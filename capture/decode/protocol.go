package decode

// Protocol and IPv6 extension header numbers (IANA "Protocol Numbers").
const (
	protocolHopByHop    = 0
	protocolICMP        = 1
	protocolTCP         = 6
	protocolUDP         = 17
	protocolRouting     = 43
	protocolFragment    = 44
	protocolESP         = 50
	protocolAH          = 51
	protocolICMPv6      = 58
	protocolNone        = 59
	protocolDestination = 60
	protocolIPComp      = 108
	protocolMobility    = 135
	protocolHIP         = 139
	protocolShim6       = 140
)

// protocolReaders has the IP protocols of encapsulations.
var protocolReaders [256]reader

func registerProtocol(protocol uint8, r reader) bool {
	protocolReaders[protocol] = r
	return true
}

// upper reads what IP protocol number announces.
func (d *Decoder) upper(s *Segment, protocol uint8, v view) Reason {
	switch protocol {
	case protocolTCP:
		return d.tcp(s, v)
	case protocolUDP:
		return d.udp(s, v)
	case protocolICMP:
		if !s.IPv6 {
			return icmp4(s, v)
		}
	case protocolICMPv6:
		if s.IPv6 {
			return icmp6(s, v)
		}
	default:
		if r := protocolReaders[protocol]; r != nil {
			return r(d, s, v)
		}
	}
	return protocolReason(protocol)
}

// protocolReason says what a packet of an IP protocol is that is not read here.
func protocolReason(protocol uint8) Reason {
	switch protocol {
	case protocolESP:
		return EncapsulatedESP
	case protocolIPComp:
		return EncapsulatedIPComp
	}
	return OtherTransport
}

// worthReassembly says whether a whole datagram of the protocol can hold more than
// its fragments: neither does an encrypted one nor a transport that is not read.
func worthReassembly(protocol uint8) bool {
	switch protocol {
	case protocolTCP, protocolUDP, protocolICMP, protocolICMPv6, protocolAH,
		protocolHopByHop, protocolRouting, protocolDestination,
		protocolMobility, protocolHIP, protocolShim6:
		return true
	}
	return protocolReaders[protocol] != nil && protocol != protocolESP
}
