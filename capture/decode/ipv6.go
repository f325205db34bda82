package decode

import "encoding/binary"

const (
	ipv6Header    = 40
	maxExtensions = 16
)

// ipv6 reads an IPv6 packet (RFC 8200 §3).
func (d *Decoder) ipv6(s *Segment, v view) Reason {
	b := v.b
	if len(b) < ipv6Header {
		return Truncated
	}
	if b[0]>>4 != 6 {
		return BadHeader
	}
	s.IPv6, s.Hops, s.ID = true, b[7], 0
	s.Src = [16]byte(b[8:24])
	s.Dst = [16]byte(b[24:40])
	length := int(binary.BigEndian.Uint16(b[4:6]))
	v = v.skip(ipv6Header)
	if length != 0 { // 0: a jumbogram (RFC 2675), or left to the network card
		v = v.resize(length)
	}
	return d.extensions(s, b[6], v)
}

// extensions reads the chain of extension headers that begins with one of type
// next, and the transport header behind it (RFC 8200 §4, RFC 7045).
func (d *Decoder) extensions(s *Segment, next uint8, v view) Reason {
	fragmented := false
	for range maxExtensions + 1 {
		var r Reason
		switch next {
		case protocolHopByHop, protocolRouting, protocolDestination,
			protocolMobility, protocolHIP, protocolShim6:
			next, v, r = extension(v)
		case protocolAH:
			next, v, r = authentication(v)
		case protocolFragment:
			if fragmented {
				return BadHeader
			}
			fragmented = true
			next, v, r = d.fragment6(s, v)
		case protocolNone:
			return Empty
		default:
			return d.upper(s, next, v)
		}
		if r != OK {
			return r
		}
	}
	return BadHeader
}

// extension passes an extension header of the usual layout and returns the type of
// the next (RFC 6564 §4).
func extension(v view) (uint8, view, Reason) {
	if len(v.b) < 8 {
		return 0, v, v.short(8)
	}
	return passHeader(v, (int(v.b[1])+1)*8)
}

// authentication passes an authentication header and returns the type of the next (RFC 4302 §2).
func authentication(v view) (uint8, view, Reason) {
	const fixed = 12
	if len(v.b) < fixed {
		return 0, v, v.short(fixed)
	}
	n := (int(v.b[1]) + 2) * 4
	if n < fixed {
		return 0, v, BadHeader
	}
	return passHeader(v, n)
}

// passHeader passes n bytes, the first of which is the type of the next header.
func passHeader(v view, n int) (uint8, view, Reason) {
	if len(v.b) < n {
		return 0, v, v.short(n)
	}
	return v.b[0], v.skip(n), OK
}
