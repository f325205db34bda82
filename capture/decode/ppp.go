package decode

import "encoding/binary"

var _ = registerEther(0x880b, readPPP)

// PPP protocol numbers (IANA "PPP Numbers").
const (
	pppIPv4          = 0x0021
	pppMultilink     = 0x003d
	pppEncrypted     = 0x0053
	pppEncryptedLink = 0x0055
	pppIPv6          = 0x0057
	pppCompressedOne = 0x00fb
	pppCompressed    = 0x00fd
	pppMPLS          = 0x0281
	pppMPLSMulticast = 0x0283
	pppVJCompressed  = 0x002d
	pppVJPlain       = 0x002f
)

// readPPP reads a PPP frame without flags and check sequence (RFC 1661 §2, RFC 1662 §3).
func readPPP(d *Decoder, s *Segment, v view) Reason {
	t, v, r := pppProtocol(v)
	if r != OK {
		return r
	}
	switch t {
	case pppIPv4:
		return d.ipv4(s, v)
	case pppIPv6:
		return d.ipv6(s, v)
	case pppMPLS, pppMPLSMulticast:
		return readMPLS(d, s, v)
	case pppMultilink, pppEncrypted, pppEncryptedLink, pppCompressedOne, pppCompressed,
		pppVJCompressed, pppVJPlain:
		return EncapsulatedPPP
	}
	return NotIP // control protocols, bridging, other networks
}

// pppProtocol passes address and control field, which may be left out, and the
// protocol field, which may be compressed to one byte (RFC 1661 §6.5, §6.6).
func pppProtocol(v view) (uint16, view, Reason) {
	if len(v.b) >= 2 && v.b[0] == 0xff && v.b[1] == 3 {
		v = v.skip(2)
	}
	if len(v.b) < 1 {
		return 0, v, v.short(1)
	}
	if v.b[0]&1 != 0 {
		return uint16(v.b[0]), v.skip(1), OK
	}
	if len(v.b) < 2 {
		return 0, v, v.short(2)
	}
	return binary.BigEndian.Uint16(v.b), v.skip(2), OK
}

// plausiblePPP says whether v begins with a PPP frame that carries IP.
func plausiblePPP(v view) bool {
	t, v, r := pppProtocol(v)
	return r == OK && (t == pppIPv4 && plausibleIPv4(v, v.wire) || t == pppIPv6 && plausibleIPv6(v, v.wire))
}
