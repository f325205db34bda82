package decode

import "encoding/binary"

var (
	_ = registerUDP(1701, udpReader{read: readL2TP, tunnel: TunnelL2TP, source: true})
	_ = registerProtocol(115, readL2TPOnIP)
)

// Flags of the first word of an L2TP header (RFC 2661 §3.1).
const (
	l2tpControl  = 0x8000
	l2tpLength   = 0x4000
	l2tpSequence = 0x0800
	l2tpOffset   = 0x0200
	l2tpVersion  = 0x000f
)

// readL2TP reads data messages of version 2 (RFC 2661 §3.1) and 3 (RFC 3931 §4.1.2)
// that carry IP.
func readL2TP(d *Decoder, s *Segment, v view) (Reason, bool) {
	const version3 = 4
	if len(v.b) < version3 {
		return OK, false
	}
	flags := binary.BigEndian.Uint16(v.b)
	switch {
	case flags&l2tpControl != 0:
		return OK, false
	case flags&l2tpVersion == 2:
		return readL2TP2(d, s, flags, v)
	case flags == 3:
		return readL2TP3(d, s, v.skip(version3))
	}
	return OK, false
}

func readL2TP2(d *Decoder, s *Segment, flags uint16, v view) (Reason, bool) {
	n, ids := 6, 2
	if flags&l2tpLength != 0 {
		ids += 2
		n += 2
	}
	if flags&l2tpSequence != 0 {
		n += 4
	}
	if flags&l2tpOffset != 0 {
		n += 2
	}
	if len(v.b) < n {
		return OK, false
	}
	if flags&l2tpLength != 0 {
		length := int(binary.BigEndian.Uint16(v.b[2:]))
		if length < n || length > v.wire {
			return OK, false
		}
		v = v.resize(length)
	}
	id := binary.BigEndian.Uint32(v.b[ids:])
	if flags&l2tpOffset != 0 {
		n += int(binary.BigEndian.Uint16(v.b[n-2:]))
	}
	if len(v.b) < n || !plausiblePPP(v.skip(n)) || !s.enterOnIP(TunnelL2TP, id) {
		return OK, false
	}
	return readPPP(d, s, v.skip(n)), true
}

// readL2TPOnIP reads version 3 straight inside IP (RFC 3931 §4.1.1).
func readL2TPOnIP(d *Decoder, s *Segment, v view) Reason {
	if r, ok := readL2TP3(d, s, v); ok {
		return r
	}
	return EncapsulatedL2TP
}

// readL2TP3 reads a session header. Cookie and sublayer are agreed on beforehand, so
// the payload is looked for where each choice puts it: a cookie has 0, 4 or 8 bytes,
// a sublayer 0 or 4 (RFC 3931 §4.1, §4.6).
func readL2TP3(d *Decoder, s *Segment, v view) (Reason, bool) {
	const (
		session    = 4
		mostFields = 12
	)
	if len(v.b) < session {
		return OK, false
	}
	id := binary.BigEndian.Uint32(v.b)
	if id == 0 {
		return OK, false // a control message
	}
	for n := session; n <= session+mostFields && n <= len(v.b); n += 4 {
		inner := v.skip(n)
		frame := frameWithIP(inner)
		if !frame && !plausiblePPP(inner) {
			continue
		}
		if !s.enterOnIP(TunnelL2TP, id) {
			return OK, false
		}
		if frame {
			return readEthernet(d, s, inner), true
		}
		return readPPP(d, s, inner), true
	}
	return OK, false
}
