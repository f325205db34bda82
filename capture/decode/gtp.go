package decode

import "encoding/binary"

var _ = registerUDP(2152, udpReader{read: readGTP, tunnel: TunnelGTP})

const (
	gtpHeader     = 8
	gtpExtensions = 8 // at most, in one message
)

// readGTP reads user data in GTP-U: IP packets in messages of type 255 (3GPP TS
// 29.281 §5.1). Other session types cannot be told from here.
func readGTP(d *Decoder, s *Segment, v view) (Reason, bool) {
	const (
		version  = 0xf0 // version 1, not GTP'
		userData = 255
		optional = 0x07 // any of sequence number, N-PDU number, extension header
	)
	if len(v.b) < gtpHeader || v.b[0]&version != 0x30 || v.b[1] != userData {
		return OK, false
	}
	flags, length, id := v.b[0], int(binary.BigEndian.Uint16(v.b[2:])), binary.BigEndian.Uint32(v.b[4:])
	if v = v.skip(gtpHeader); length > v.wire {
		return OK, false
	}
	v = v.resize(length)
	if flags&optional != 0 {
		var ok bool
		if v, ok = gtpOptions(flags, v); !ok {
			return OK, false
		}
	}
	if !plausibleIP(v, v.wire) || !s.enterOnIP(TunnelGTP, id) {
		return OK, false
	}
	return d.ip(s, v), true
}

// gtpOptions passes the optional fields and the extension headers (§5.2).
func gtpOptions(flags uint8, v view) (view, bool) {
	const (
		optional     = 4
		hasExtension = 0x04
	)
	if len(v.b) < optional {
		return v, false
	}
	next := v.b[3]
	v = v.skip(optional)
	if flags&hasExtension == 0 {
		return v, true
	}
	for range gtpExtensions {
		if next == 0 {
			return v, true
		}
		if len(v.b) < 1 {
			return v, false
		}
		n := 4 * int(v.b[0])
		if n == 0 || len(v.b) < n {
			return v, false
		}
		next = v.b[n-1]
		v = v.skip(n)
	}
	return v, next == 0
}
