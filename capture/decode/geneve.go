package decode

import "encoding/binary"

var _ = registerUDP(6081, udpReader{read: readGENEVE, tunnel: TunnelGENEVE})

// readGENEVE reads GENEVE and passes its options (RFC 8926 §3.4).
func readGENEVE(d *Decoder, s *Segment, v view) (Reason, bool) {
	const (
		header  = 8
		version = 0xc0 // two bits, 0
		length  = 0x3f // of the options, in words
	)
	if len(v.b) < header || v.b[0]&version != 0 {
		return OK, false
	}
	n := header + 4*int(v.b[0]&length)
	if len(v.b) < n {
		return OK, false
	}
	t, id := binary.BigEndian.Uint16(v.b[2:]), binary.BigEndian.Uint32(v.b[4:])>>8
	v = v.skip(n)
	if !plausibleInner(t, v) || !s.enterOnIP(TunnelGENEVE, id) {
		return OK, false
	}
	return d.network(s, t, v), true
}
