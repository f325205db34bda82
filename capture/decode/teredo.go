package decode

import "encoding/binary"

var _ = registerUDP(3544, udpReader{read: readTeredo, tunnel: TunnelTeredo, source: true})

// readTeredo reads an IPv6 packet that fills the datagram, behind an authentication
// and an origin indication if there are any (RFC 4380 §5.1.1).
func readTeredo(d *Decoder, s *Segment, v view) (Reason, bool) {
	const origin = 8
	v, ok := teredoAuthentication(v)
	if !ok {
		return OK, false
	}
	if len(v.b) >= origin && binary.BigEndian.Uint16(v.b) == 0 {
		v = v.skip(origin)
	}
	if !wholeIPv6(v) || !s.enterOnIP(TunnelTeredo, 0) {
		return OK, false
	}
	return d.ipv6(s, v), true
}

// teredoAuthentication passes an authentication: its type, the lengths of client
// identifier and value, those two, a nonce of eight bytes and one more byte.
func teredoAuthentication(v view) (view, bool) {
	const fixed = 4 + 8 + 1
	if len(v.b) < fixed || binary.BigEndian.Uint16(v.b) != 1 {
		return v, true
	}
	n := fixed + int(v.b[2]) + int(v.b[3])
	if len(v.b) < n {
		return v, false
	}
	return v.skip(n), true
}
