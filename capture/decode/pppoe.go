package decode

import "encoding/binary"

var _ = registerEther(0x8864, readPPPoE)

// readPPPoE reads a PPPoE session frame (RFC 2516 §4).
func readPPPoE(d *Decoder, s *Segment, v view) Reason {
	const (
		header  = 6
		version = 0x11 // version 1, type 1
	)
	if len(v.b) < header {
		return v.short(header)
	}
	session, length := binary.BigEndian.Uint16(v.b[2:]), int(binary.BigEndian.Uint16(v.b[4:]))
	switch {
	case v.b[0] != version:
		return BadHeader
	case v.b[1] != 0:
		return NotIP // discovery
	case !s.enter(TunnelPPPoE, uint32(session)):
		return BadHeader
	}
	return readPPP(d, s, v.skip(header).resize(length))
}
