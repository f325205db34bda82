package decode

import "encoding/binary"

var (
	_ = registerGRE(0x88be, readERSPAN)
	_ = registerGRE(0x22eb, readERSPAN3)
)

// readERSPAN reads a mirrored frame of type I, which has no header, or II, which is
// told by its GRE sequence number (draft-foschiano-erspan §4.1, §4.2).
func readERSPAN(d *Decoder, s *Segment, flags uint16, v view) Reason {
	const header = 8
	if flags&greSequence == 0 {
		s.Tunnel = TunnelERSPAN
		return readEthernet(d, s, v)
	}
	if len(v.b) < header {
		return v.short(header)
	}
	if v.b[0]>>4 != 1 {
		return BadHeader
	}
	return mirrored(d, s, v, header)
}

// readERSPAN3 reads a mirrored frame or IP packet of type III (§4.3).
func readERSPAN3(d *Decoder, s *Segment, _ uint16, v view) Reason {
	const (
		header      = 12
		subheader   = 8
		frameMask   = 0x7c00 // bits of the word at 10
		frameIP     = 2 << 10
		hasSubeader = 0x0001
	)
	if len(v.b) < header {
		return v.short(header)
	}
	if v.b[0]>>4 != 2 {
		return BadHeader
	}
	n, word := header, binary.BigEndian.Uint16(v.b[10:])
	if word&hasSubeader != 0 {
		n += subheader
	}
	if len(v.b) < n {
		return v.short(n)
	}
	if word&frameMask != frameIP {
		return mirrored(d, s, v, n)
	}
	s.Tunnel, s.TunnelID = TunnelERSPAN, erspanSession(v)
	return d.ip(s, v.skip(n))
}

func erspanSession(v view) uint32 { return uint32(binary.BigEndian.Uint16(v.b[2:]) & 0x03ff) }

// mirrored reads a frame behind n bytes of ERSPAN header, which say what VLAN it was
// in: its own tag may be gone.
func mirrored(d *Decoder, s *Segment, v view, n int) Reason {
	s.Tunnel, s.TunnelID = TunnelERSPAN, erspanSession(v)
	s.VLAN = binary.BigEndian.Uint16(v.b) & 0x0fff
	return readEthernet(d, s, v.skip(n))
}
