package decode

import (
	"encoding/binary"
	"math/bits"
)

var _ = registerLink(239, readNFLOG)

const maxNFLOGFields = 32

// readNFLOG reads a packet logged by netfilter (LINKTYPE_NFLOG): address family,
// version, group, then fields with length and type in the byte order of the
// capturing host; one of them is the IP packet.
func readNFLOG(d *Decoder, s *Segment, v view) Reason {
	const (
		header    = 4
		fixed     = 4
		typeMask  = 0x7fff
		hardware  = 8
		payload   = 9
		addressAt = fixed + 4 // behind the length of the address
	)
	if len(v.b) < header {
		return v.short(header)
	}
	family := uint32(v.b[0])
	v = v.skip(header)
	for range maxNFLOGFields {
		if len(v.b) < fixed {
			return v.short(fixed)
		}
		n, kind := binary.LittleEndian.Uint16(v.b), binary.LittleEndian.Uint16(v.b[2:])
		if kind&0xff == 0 { // types are less than 256 and not 0
			n, kind = bits.ReverseBytes16(n), bits.ReverseBytes16(kind)
		}
		length := int(n)
		switch kind &= typeMask; {
		case length < fixed:
			return BadHeader
		case kind == payload:
			return d.family(s, family, v.resize(length).skip(fixed))
		case kind == hardware && length >= addressAt+6 && len(v.b) >= addressAt+6:
			s.SrcMAC = [6]byte(v.b[addressAt:])
		}
		length = (length + 3) &^ 3
		if len(v.b) < length {
			return v.short(length)
		}
		v = v.skip(length)
	}
	return BadHeader
}
