package decode

import (
	"encoding/binary"

	"telltale/capture"
)

var (
	_ = registerLink(192, readPPI)
	_ = registerLink(258, readPKTAP)
)

// readPPI reads a frame behind per-packet information, which names its link type
// (LINKTYPE_PPI).
func readPPI(d *Decoder, s *Segment, v view) Reason {
	const header = 8
	if len(v.b) < header {
		return v.short(header)
	}
	n, link := uint32(binary.LittleEndian.Uint16(v.b[2:])), binary.LittleEndian.Uint32(v.b[4:])
	if v.b[0] != 0 || n < header {
		return BadHeader
	}
	return d.namedLink(s, link, v, n)
}

// readPKTAP reads a frame as macOS captures it with the process it belongs to
// (LINKTYPE_PKTAP): length, record type, link type, little-endian.
func readPKTAP(d *Decoder, s *Segment, v view) Reason {
	const header = 12
	if len(v.b) < header {
		return v.short(header)
	}
	n, link := binary.LittleEndian.Uint32(v.b), binary.LittleEndian.Uint32(v.b[8:])
	if n < header {
		return BadHeader
	}
	return d.namedLink(s, link, v, n)
}

// namedLink reads a frame of a link type behind n bytes that named it.
func (d *Decoder) namedLink(s *Segment, link uint32, v view, n uint32) Reason {
	if uint64(n) > uint64(len(v.b)) {
		return v.short(int(min(n, anyLength)))
	}
	if !s.deeper() {
		return BadHeader
	}
	return d.readLink(s, capture.LinkType(link), v.skip(int(n)))
}
