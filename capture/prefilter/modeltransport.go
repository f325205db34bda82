package prefilter

import "encoding/binary"

// behind is the bytes before the window by which a segment that looks like a message
// is taken for a repeated one, which does not move the window back.
const behind = 1 << 20

func (m *Model) tcp(p packet) Class {
	const fin, syn, rst = 1, 2, 4
	h := p.frame[p.transport:]
	if m.owned(h) {
		return Passed
	}
	seq := binary.BigEndian.Uint32(h[4:])
	w := m.flow(p, 6, seq)
	if flags := h[13]; flags&(fin|syn|rst) != 0 {
		if flags&syn != 0 {
			w.start, w.ack, w.data = seq+1, m.epoch, m.epoch
		}
		return Passed
	}
	header := int(h[12]>>4) * 4
	switch size := p.room - header; {
	case header < tcpSize || size < 0:
		return Passed
	case size == 0:
		if w.ack == m.epoch {
			return TCPAck
		}
		w.ack = m.epoch
		return Passed
	default:
		return m.data(p, w, seq, p.transport+header, size)
	}
}

// data decides on a segment with payload of some size at a place.
func (m *Model) data(p packet, w *way, seq uint32, at, size int) Class {
	n := m.conf.Window
	switch {
	case size < tcpLeast || len(p.frame) < at+6 || m.shaped(p.frame[at:]):
		if d := w.start - seq; d == 0 || d > behind {
			w.start = seq
		}
		w.data = m.epoch
		return Passed
	case seq-w.start+n < 2*n: // around the start, either way
		return Passed
	case w.data == m.epoch:
		return TCPData
	}
	w.data = m.epoch
	if d := seq - w.start; d >= 2*n && d < 1<<31 {
		w.start = seq - 2*n // follows, so that ahead and behind stay known
	}
	return Passed
}

// shaped says whether b may begin a message: by its first two bytes, or as a
// ClientHello in the SSL 2.0 format (RFC 5246 §E.2).
func (m *Model) shaped(b []byte) bool {
	if m.conf.Rules.shapes.has(binary.BigEndian.Uint16(b)) {
		return true
	}
	return b[0]&0x80 != 0 && b[2] == 1 && (b[3] == 3 && b[4] <= 4 || b[3] == 0 && b[4] == 2)
}

func (m *Model) udp(p packet) Class {
	h := p.frame[p.transport:]
	if len(h) < udpSize+udpLeast {
		return Passed
	}
	b := h[udpSize:]
	if c, ok := m.tunnel(p, h); ok {
		return c
	}
	if m.owned(h) || telling(b) {
		return Passed
	}
	w := m.flow(p, 17, 0)
	if w.data != m.epoch {
		w.data = m.epoch
		return Passed
	}
	if binary.BigEndian.Uint16(h) == 443 || binary.BigEndian.Uint16(h[2:]) == 443 {
		return QUIC
	}
	return UDPData
}

// tunnel decides on the frame in VXLAN (RFC 7348) and GENEVE (RFC 8926).
func (m *Model) tunnel(p packet, h []byte) (Class, bool) {
	if p.inner {
		return Passed, false
	}
	b, at := h[udpSize:], p.transport+udpSize+8
	switch binary.BigEndian.Uint16(h[2:]) {
	case 4789, 8472:
		if b[0] == 0x08 {
			return m.inside(p.frame, at), true
		}
	case 6081:
		const frames = 0x6558
		if b[0]&0xc0 == 0 && binary.BigEndian.Uint16(b[2:]) == frames {
			return m.inside(p.frame, at+4*int(b[0]&0x3f)), true
		}
	}
	return Passed, false
}

// telling says whether a datagram on any port can matter by its first bytes.
func telling(b []byte) bool {
	first, second := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	version := first<<8 | second>>24
	switch {
	case first>>16 == 0x16fe, // DTLS handshake
		isUpper(b[0]) && (isUpper(b[1]) || b[1] == '-'),    // SIP, SSDP and the like
		version>>16 == 0x5130,                              // gQUIC with a long header: Q0..
		binary.BigEndian.Uint32(b[8:])>>8&0xffff == 0x5130, // with a public header
		quicLong(b[0], version, second>>16&0xff),
		dnsShape(b):
		return true
	}
	return false
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

// quicLong says whether a datagram may begin with a QUIC long header (RFC 8999 §5.1):
// with the fixed bit and a plausible connection id, or a version that is known to
// clear that bit (RFC 9287).
func quicLong(first byte, version, idLength uint32) bool {
	if first&0x80 == 0 || version == 0 {
		return false
	}
	if first&0x40 != 0 {
		return idLength <= 20
	}
	return version == 1 || version == 0x6b3343cf || version>>8 == 0xff0000 || version>>16 == 0xface
}

// dnsShape says whether a datagram looks like a DNS message with one question.
func dnsShape(b []byte) bool {
	at := func(i int) uint16 { return binary.BigEndian.Uint16(b[i:]) }
	return at(2)&0x7840 == 0 && at(4) == 1 && at(6) <= 64 && at(8) <= 64 && at(10) <= 64
}
