package decode

import "encoding/binary"

var _ = registerUDP(5247, udpReader{read: readCAPWAP, tunnel: TunnelCAPWAP, source: true})

// readCAPWAP reads a data packet that is not encrypted (RFC 5415 §4.3, RFC 5416 §6.1).
// The first of several fragments counts as a cut frame, later ones are not read.
func readCAPWAP(d *Decoder, s *Segment, v view) (Reason, bool) {
	const (
		fixed     = 8
		wireless  = 1 << 9 // binding identifier 1: IEEE 802.11
		binding   = 0x3e00
		native    = 0x0100
		fragment  = 0x0080
		keepAlive = 0x0008
		offset    = 0xfff8
		words     = 19 // place of the header length, 5 bits below the zero byte
	)
	if len(v.b) < fixed || v.b[0] != 0 {
		return OK, false
	}
	word := binary.BigEndian.Uint32(v.b)
	n := 4 * int(word>>words)
	if n < fixed || len(v.b) < n || word&keepAlive != 0 {
		return OK, false
	}
	if word&fragment != 0 && binary.BigEndian.Uint16(v.b[6:])&offset != 0 {
		return OK, false
	}
	v = v.skip(n)
	if word&native == 0 {
		if !plausibleFrame(v) || !s.enterOnIP(TunnelCAPWAP, 0) {
			return OK, false
		}
		return readEthernet(d, s, v), true
	}
	form := dot11Form{swapped: !plausibleDot11(v, dot11Form{})} // some vendors swap
	if word&binding != wireless || !plausibleDot11(v, form) || !s.enterOnIP(TunnelCAPWAP, 0) {
		return OK, false
	}
	return d.dot11(s, v, form), true
}
