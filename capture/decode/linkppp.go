package decode

import "encoding/binary"

var (
	_ = registerLink(9, readPPPLink)    // LINKTYPE_PPP
	_ = registerLink(50, readPPPLink)   // LINKTYPE_PPP_HDLC
	_ = registerLink(51, readPPPoE)     // LINKTYPE_PPP_ETHER
	_ = registerLink(104, readPPPLink)  // LINKTYPE_C_HDLC
	_ = registerLink(166, readPPPD)     // LINKTYPE_PPP_PPPD
	_ = registerLink(204, readPPPBound) // LINKTYPE_PPP_WITH_DIR
)

// First byte of a frame of Cisco's kind, to one or to all.
const (
	ciscoUnicast   = 0x0f
	ciscoMulticast = 0x8f
)

// readPPPLink reads a frame of a serial line: PPP, or Cisco's kind with an EtherType.
func readPPPLink(d *Decoder, s *Segment, v view) Reason {
	if v.b[0] == ciscoUnicast || v.b[0] == ciscoMulticast {
		return readCiscoHDLC(d, s, v)
	}
	return readPPP(d, s, v)
}

// readCiscoHDLC reads address, control field and EtherType.
func readCiscoHDLC(d *Decoder, s *Segment, v view) Reason {
	const (
		header = 4
		osi    = 0xfefe
	)
	if len(v.b) < header {
		return v.short(header)
	}
	t := binary.BigEndian.Uint16(v.b[2:])
	if t < minEtherType || t == osi {
		return NotIP
	}
	return d.network(s, t, v.skip(header))
}

// readPPPD reads a frame whose address field says whether it was sent.
func readPPPD(d *Decoder, s *Segment, v view) Reason {
	const control = 3
	if len(v.b) >= 2 && v.b[0] <= 1 && v.b[1] == control {
		v = v.skip(2)
	}
	return readPPP(d, s, v)
}

// readPPPBound reads a frame behind a byte that says whether it was sent.
func readPPPBound(d *Decoder, s *Segment, v view) Reason {
	return readPPP(d, s, v.skip(1))
}
