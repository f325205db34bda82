package decode

import "encoding/binary"

var _ = registerProtocol(47, readGRE)

// Flags of the first word of a GRE header (RFC 1701, RFC 2784, RFC 2890, RFC 2637).
const (
	greChecksum = 0x8000
	greRouting  = 0x4000
	greKey      = 0x2000
	greSequence = 0x1000
	greAck      = 0x0080 // version 1
	greVersion  = 0x0007

	greHeader    = 4
	maxGRERoutes = 32
)

// greReader reads a payload that only GRE announces; flags are those of its header.
type greReader func(d *Decoder, s *Segment, flags uint16, v view) Reason

// greReaders has the payload types that have another meaning or none as EtherType.
var greReaders sparse[greReader]

func registerGRE(t uint16, r greReader) bool { return greReaders.add(t, r) }

// readGRE reads GRE (RFC 2784, RFC 2890, source routes as in RFC 1701), NVGRE
// (RFC 7637) and the enhanced GRE of PPTP (RFC 2637 §4.1).
func readGRE(d *Decoder, s *Segment, v view) Reason {
	if len(v.b) < greHeader {
		return v.short(greHeader)
	}
	flags, t := binary.BigEndian.Uint16(v.b), binary.BigEndian.Uint16(v.b[2:])
	v = v.skip(greHeader)
	switch flags & greVersion {
	case 0:
		return d.gre0(s, flags, t, v)
	case 1:
		return d.gre1(s, flags, v)
	}
	return EncapsulatedGRE
}

func (d *Decoder) gre0(s *Segment, flags, t uint16, v view) Reason {
	key, v, r := greOptions(flags, v)
	if r != OK {
		return r
	}
	if !s.enterOnIP(TunnelGRE, key) {
		return BadHeader
	}
	if v.wire <= 0 {
		return Empty // a keep-alive
	}
	if r := greReaders.find(t); r != nil {
		return (*r)(d, s, flags, v)
	}
	if !knownEther(t) {
		return EncapsulatedGRE
	}
	return d.network(s, t, v)
}

// greOptions passes the fields that the flags announce and returns the key.
func greOptions(flags uint16, v view) (uint32, view, Reason) {
	n, keyAt := 0, 0
	if flags&(greChecksum|greRouting) != 0 {
		n += 4
	}
	if keyAt = n; flags&greKey != 0 {
		n += 4
	}
	if flags&greSequence != 0 {
		n += 4
	}
	if len(v.b) < n {
		return 0, v, v.short(n)
	}
	key := uint32(0)
	if flags&greKey != 0 {
		key = binary.BigEndian.Uint32(v.b[keyAt:])
	}
	v = v.skip(n)
	if flags&greRouting == 0 {
		return key, v, OK
	}
	v, r := greRoutes(v)
	return key, v, r
}

// greRoutes passes the source routes, which one of type and length 0 ends (RFC 1701).
func greRoutes(v view) (view, Reason) {
	const fixed = 4
	for range maxGRERoutes {
		if len(v.b) < fixed {
			return v, v.short(fixed)
		}
		family, n := binary.BigEndian.Uint16(v.b), fixed+int(v.b[3])
		if len(v.b) < n {
			return v, v.short(n)
		}
		v = v.skip(n)
		if family == 0 && n == fixed {
			return v, OK
		}
	}
	return v, BadHeader
}

// gre1 reads what follows the first four bytes of enhanced GRE. The key is the
// length of the payload and the number of the call.
func (d *Decoder) gre1(s *Segment, flags uint16, v view) Reason {
	n := 4
	if flags&greSequence != 0 {
		n += 4
	}
	if flags&greAck != 0 {
		n += 4
	}
	if flags&greKey == 0 {
		return BadHeader
	}
	if len(v.b) < n {
		return v.short(n)
	}
	length, call := int(binary.BigEndian.Uint16(v.b)), binary.BigEndian.Uint16(v.b[2:])
	if !s.enterOnIP(TunnelGRE, uint32(call)) {
		return BadHeader
	}
	if length == 0 || flags&greSequence == 0 {
		return Empty // an acknowledgement
	}
	return readPPP(d, s, v.skip(n).resize(length))
}
