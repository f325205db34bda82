package decode

import "encoding/binary"

var (
	_ = registerProtocol(protocolESP, readESP)
	_ = registerUDP(4500, udpReader{read: readESPOnUDP, tunnel: TunnelESP, source: true})
)

const (
	espHeader  = 8
	espTrailer = 2
)

// espForms are lengths of initialization vector and check value that go without
// encryption: HMAC with 96 or 128 bits (RFC 2410), AES-GMAC (RFC 4543 §3).
var espForms = [...]struct{ vector, check int }{{0, 12}, {0, 16}, {8, 16}}

// readESP reads ESP if it is not encrypted, which nothing in it says (RFC 5879).
func readESP(d *Decoder, s *Segment, v view) Reason {
	if r, ok := d.clearESP(s, v); ok {
		return r
	}
	return EncapsulatedESP
}

// readESPOnUDP reads ESP behind a translator of addresses (RFC 3948 §2).
func readESPOnUDP(d *Decoder, s *Segment, v view) (Reason, bool) { return d.clearESP(s, v) }

// clearESP takes v for ESP without encryption if it ends in a proper trailer and what
// the trailer announces fills the rest and has a right checksum (RFC 4303 §2).
func (d *Decoder) clearESP(s *Segment, v view) (Reason, bool) {
	const reserved = 255 // greatest index that names no association
	if len(v.b) < espHeader || len(v.b) < v.wire {
		return OK, false
	}
	index := binary.BigEndian.Uint32(v.b)
	if index <= reserved {
		return OK, false
	}
	for _, form := range espForms {
		if next, inner, ok := espPayload(v.b, form.vector, form.check); ok && soundESP(s, next, inner) {
			return d.insideESP(s, index, next, inner)
		}
	}
	return OK, false
}

// espPayload cuts the payload out of b. The padding counts up from 1 (§2.4).
func espPayload(b []byte, vector, check int) (uint8, view, bool) {
	end := len(b) - check - espTrailer
	start := espHeader + vector
	if end < start || (end+espTrailer)%4 != 0 {
		return 0, view{}, false
	}
	pad, next := int(b[end]), b[end+1]
	if end-start < pad {
		return 0, view{}, false
	}
	for i := range pad {
		if b[end-pad+i] != uint8(i+1) {
			return 0, view{}, false
		}
	}
	inner := b[start : end-pad]
	return next, view{inner, len(inner)}, true
}

// soundESP says whether v is just what protocol next announces.
func soundESP(s *Segment, next uint8, v view) bool {
	b := v.b
	switch next {
	case 4:
		return plausibleIPv4(v, v.wire) && int(binary.BigEndian.Uint16(b[2:])) == v.wire &&
			int(b[0]&0x0f)*4 <= v.wire && checksum(0, b[:int(b[0]&0x0f)*4]) == 0xffff
	case 41:
		return wholeIPv6(v)
	case protocolTCP:
		return len(b) >= tcpHeader && int(b[12]>>4)*4 >= tcpHeader && int(b[12]>>4)*4 <= len(b) &&
			soundTransport(s, next, b)
	case protocolUDP:
		return len(b) >= udpHeader && int(binary.BigEndian.Uint16(b[4:])) == len(b) &&
			binary.BigEndian.Uint16(b[6:]) != 0 && soundTransport(s, next, b)
	}
	return false
}

// soundTransport checks the checksum over pseudo-header, header and payload. The
// part ::ffff of a mapped address does not change it.
func soundTransport(s *Segment, protocol uint8, b []byte) bool {
	sum := checksum(uint64(protocol)+uint64(len(b)), s.Src[:])
	return checksum(checksum(sum, s.Dst[:]), b) == 0xffff
}

// checksum adds the 16-bit words of b to sum (RFC 1071).
func checksum(sum uint64, b []byte) uint64 {
	for ; len(b) >= 2; b = b[2:] {
		sum += uint64(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint64(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return sum
}

// insideESP reads the payload. In transport mode it is between the same ends.
func (d *Decoder) insideESP(s *Segment, index uint32, next uint8, v view) (Reason, bool) {
	if next == protocolTCP || next == protocolUDP {
		if !s.enter(TunnelESP, index) {
			return OK, false
		}
		s.OuterSrc, s.OuterDst = s.Src, s.Dst
		return d.upper(s, next, v), true
	}
	if !s.enterOnIP(TunnelESP, index) {
		return OK, false
	}
	return d.ip(s, v), true
}
