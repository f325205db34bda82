package decode

import "encoding/binary"

var _ = registerEther(0x22f3, readTRILL)

// readTRILL reads the frame behind a TRILL header and its options (RFC 6325 §3).
func readTRILL(d *Decoder, s *Segment, v view) Reason {
	const (
		header  = 6
		version = 0xc000
		length  = 0x07c0 // of the options, in words
		shift   = 6
	)
	if len(v.b) < header {
		return v.short(header)
	}
	word := binary.BigEndian.Uint16(v.b)
	n := header + 4*int(word&length>>shift)
	if len(v.b) < n {
		return v.short(n)
	}
	if word&version != 0 || !s.enter(TunnelTRILL, 0) {
		return BadHeader
	}
	s.VLAN = 0
	return readEthernet(d, s, v.skip(n))
}
