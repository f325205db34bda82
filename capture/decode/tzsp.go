package decode

import "encoding/binary"

var _ = registerUDP(37008, udpReader{read: readTZSP, tunnel: TunnelTZSP})

const maxTZSPTags = 64

// readTZSP reads a mirrored frame in the TaZmen Sniffer Protocol: version, type,
// encapsulated protocol, tagged fields, frame.
func readTZSP(d *Decoder, s *Segment, v view) (Reason, bool) {
	const (
		header      = 4
		toTransmit  = 1
		ethernet    = 1
		wireless    = 18
		prismHeader = 119
		avsHeader   = 127
	)
	if len(v.b) < header || v.b[0] != 1 || v.b[1] > toTransmit {
		return OK, false
	}
	protocol := binary.BigEndian.Uint16(v.b[2:])
	frame, ok := tzspTags(v.skip(header))
	if !ok {
		return OK, false
	}
	read := readEthernet
	switch protocol {
	case ethernet:
		ok = plausibleFrame(frame)
	case wireless:
		read, ok = readDot11, plausibleDot11(frame, dot11Form{})
	case prismHeader, avsHeader:
		inner, r := prismFrame(frame)
		read, ok = readPrism, r == OK && plausibleDot11(inner, dot11Form{})
	default:
		return OK, false
	}
	if !ok || !s.enterOnIP(TunnelTZSP, 0) {
		return OK, false
	}
	return read(d, s, frame), true
}

// tzspTags passes the tagged fields: type, length, value, but for the last and for
// padding the type alone.
func tzspTags(v view) (view, bool) {
	const (
		padding = 0
		end     = 1
	)
	for range maxTZSPTags {
		n := 1
		switch {
		case len(v.b) < 1:
			return v, false
		case v.b[0] == end:
			return v.skip(1), true
		case v.b[0] == padding:
		case len(v.b) < 2:
			return v, false
		default:
			n = 2 + int(v.b[1])
		}
		if len(v.b) < n {
			return v, false
		}
		v = v.skip(n)
	}
	return v, false
}
