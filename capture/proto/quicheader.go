package proto

import "encoding/binary"

// quicKind is the type of a long header packet as version 1 numbers it (RFC 9000 §17.2).
type quicKind uint8

const (
	quicInitial quicKind = iota
	quicZeroRTT
	quicHandshake
	quicRetry
)

const (
	quicLongBit  = 0x80
	quicFixedBit = 0x40
	quicMaxCID   = 20 // RFC 9000 §17.2
	// quicMinLong is a long header with two empty connection ids (RFC 8999 §5.1).
	quicMinLong   = 7
	quicMaxNumber = 4  // bytes of a packet number, assumed by the sample (RFC 9001 §5.4.2)
	quicSample    = 16 // bytes of the sample
	// quicMaxPacket is the largest Initial that is opened.
	quicMaxPacket = 16 << 10
)

// quicLong is a packet with a long header.
type quicLong struct {
	version uint32
	dcid    []byte
	kind    quicKind
	number  int  // offset of the packet number; 0 for a Retry
	size    int  // bytes of the packet, of what is there of it if cut
	cut     bool // the datagram ends before the packet
}

// openable says whether a packet of size bytes is whole and has room for what header
// protection needs.
func (p *quicLong) openable(size int) bool {
	return !p.cut && size <= quicMaxPacket && size >= p.number+quicMaxNumber+quicSample
}

// IsQUICLong says cheaply whether b may begin with a QUIC packet that has a long
// header (RFC 8999 §5.1): version not 0, connection ids of a plausible length that
// lie within b, and the fixed bit, which a known version may have cleared (RFC 9287).
func IsQUICLong(b []byte) bool {
	_, _, ok := quicInvariant(b)
	return ok
}

// IsQUICNegotiation says whether b is a server's Version Negotiation packet (RFC 8999 §6):
// version 0, and a list of versions that fills the rest.
func IsQUICNegotiation(b []byte) bool {
	if len(b) < quicMinLong || b[0]&quicLongBit == 0 || binary.BigEndian.Uint32(b[1:]) != 0 {
		return false
	}
	_, rest, ok := quicIDs(b)
	return ok && rest < len(b) && (len(b)-rest)%4 == 0
}

// quicInvariant reads the version-independent part of a long header; rest is the
// offset of what follows the connection ids.
func quicInvariant(b []byte) (p quicLong, rest int, ok bool) {
	if len(b) < quicMinLong || b[0]&quicLongBit == 0 {
		return p, 0, false
	}
	p.version = binary.BigEndian.Uint32(b[1:])
	if p.version == 0 || b[0]&quicFixedBit == 0 && quicKnown(p.version) == quicNone {
		return p, 0, false
	}
	p.dcid, rest, ok = quicIDs(b)
	return p, rest, ok
}

// quicIDs returns the destination connection id of a long header, which is not shorter
// than quicMinLong, and the offset of what follows both ids.
func quicIDs(b []byte) (dcid []byte, rest int, ok bool) {
	const at = 6
	scidLen := at + int(b[5])
	if b[5] > quicMaxCID || scidLen >= len(b) || b[scidLen] > quicMaxCID {
		return nil, 0, false
	}
	rest = scidLen + 1 + int(b[scidLen])
	return b[at:scidLen:scidLen], rest, rest <= len(b)
}

// quicParseLong reads the header of the long header packet that begins b as far as
// it is not protected (RFC 9000 §17.2, RFC 9369 §3.2).
func quicParseLong(b []byte) (quicLong, bool) {
	p, at, ok := quicInvariant(b)
	if !ok {
		return p, false
	}
	p.kind = quicKind(b[0] >> 4 & 3)
	if p.version == quicVersion2 {
		p.kind = (p.kind - 1) & 3
	}
	if p.kind == quicRetry {
		p.size = len(b)
		return p, true
	}
	if p.kind == quicInitial {
		token, n := quicVarint(b[at:])
		if n == 0 || token > uint64(len(b)-at-n) {
			return p, false
		}
		at += n + int(token)
	}
	length, n := quicVarint(b[at:])
	if n == 0 {
		return p, false
	}
	p.number = at + n
	p.size = len(b)
	if p.cut = length > uint64(len(b)-p.number); !p.cut {
		p.size = p.number + int(length)
	}
	return p, true
}

// QUICInitialID returns version and destination connection id of the first Initial
// packet in a datagram. dcid is a part of b.
func QUICInitialID(b []byte) (version uint32, dcid []byte, ok bool) {
	for len(b) > 0 {
		p, ok := quicParseLong(b)
		if !ok {
			break
		}
		if p.kind == quicInitial {
			return p.version, p.dcid, true
		}
		b = b[p.size:]
	}
	return 0, nil, false
}

// quicVarint reads a variable-length integer (RFC 9000 §16). n is its length, 0 if b
// is too short.
func quicVarint(b []byte) (v uint64, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	n = 1 << (b[0] >> 6)
	if len(b) < n {
		return 0, 0
	}
	v = uint64(b[0] & 0x3f)
	for _, c := range b[1:n] {
		v = v<<8 | uint64(c)
	}
	return v, n
}
