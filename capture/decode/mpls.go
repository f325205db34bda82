package decode

import "encoding/binary"

var (
	_ = registerEther(0x8847, readMPLS)
	_ = registerEther(0x8848, readMPLS) // multicast, or upstream-assigned labels (RFC 5332)
	_ = registerProtocol(137, readMPLSOnIP)
	_ = registerUDP(6635, udpReader{read: readMPLSOnUDP, tunnel: TunnelMPLS})
)

const (
	maxLabels    = 16
	labelBytes   = 4
	lastReserved = 15 // RFC 3032 §2.1
	labelEntropy = 7  // the next one is random (RFC 6790 §2.2)
)

// readMPLS reads a label stack and what is behind it (RFC 3032 §2.1).
func readMPLS(d *Decoder, s *Segment, v view) Reason {
	label, v, r := labels(v)
	if r != OK {
		return r
	}
	if !s.enter(TunnelMPLS, label) {
		return BadHeader
	}
	return d.labelled(s, v)
}

// readMPLSOnIP reads a label stack straight inside IP (RFC 4023 §3).
func readMPLSOnIP(d *Decoder, s *Segment, v view) Reason {
	label, v, r := labels(v)
	if r != OK {
		return r
	}
	if !s.enterOnIP(TunnelMPLS, label) {
		return BadHeader
	}
	return d.labelled(s, v)
}

// readMPLSOnUDP reads a label stack inside UDP (RFC 7510 §3).
func readMPLSOnUDP(d *Decoder, s *Segment, v view) (Reason, bool) {
	label, v, r := labels(v)
	if r != OK || !plausibleIP(v, v.wire) && !frameWithIP(v) && !frameWithIP(behindControlWord(v)) {
		return OK, false
	}
	if !s.enterOnIP(TunnelMPLS, label) {
		return OK, false
	}
	return d.labelled(s, v), true
}

// labels passes a label stack and returns the last label that identifies anything.
func labels(v view) (uint32, view, Reason) {
	const bottom = 0x100
	label, random := uint32(0), false
	for range maxLabels {
		if len(v.b) < labelBytes {
			return 0, v, v.short(labelBytes)
		}
		word := binary.BigEndian.Uint32(v.b)
		v = v.skip(labelBytes)
		if l := word >> 12; l > lastReserved && !random {
			label = l
		}
		if word&bottom != 0 {
			return label, v, OK
		}
		random = word>>12 == labelEntropy
	}
	return 0, v, BadHeader
}

// labelled reads what is behind a label stack, which nothing but its first four bits
// tells: the version of an IP packet, 0 of a control word, 1 of an associated channel
// (RFC 4385 §2). A pseudowire may also have its frame right there (RFC 4448 §4.4).
func (d *Decoder) labelled(s *Segment, v view) Reason {
	const channel = 1
	if len(v.b) == 0 {
		return v.short(1)
	}
	word := behindControlWord(v)
	switch {
	case fittingIP(v):
		return d.ip(s, v)
	case plausibleFrame(word):
		return readEthernet(d, s, word)
	case plausibleFrame(v):
		return readEthernet(d, s, v)
	case plausibleIP(v, anyLength): // cut by mirroring
		return d.ip(s, v)
	case v.b[0]>>4 == channel:
		return NotIP
	case len(v.b) < v.wire:
		return Truncated
	}
	return EncapsulatedMPLS
}

// fittingIP says whether v is an IP packet with no more behind it than the padding of
// IPv4. An address can begin like an IPv6 header, but hardly with the right length.
func fittingIP(v view) bool {
	return plausibleIPv4(v, v.wire) || wholeIPv6(v)
}

// behindControlWord passes a control word; the result is empty if there is none.
func behindControlWord(v view) view {
	const length = 4
	if len(v.b) < length || v.b[0]>>4 != 0 {
		return view{}
	}
	return v.skip(length)
}
