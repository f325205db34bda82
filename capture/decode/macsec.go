package decode

var _ = registerEther(0x88e5, readMACsec)

// readMACsec reads a frame that is protected but not encrypted (IEEE 802.1AE §9.3).
// The check value behind it is left to the IP length.
func readMACsec(d *Decoder, s *Segment, v view) Reason {
	const (
		header      = 6
		identifier  = 8
		version     = 0x80
		hasID       = 0x20
		encrypted   = 0x08
		changed     = 0x04
		shortLength = 0x3f
	)
	if len(v.b) < header {
		return v.short(header)
	}
	control, length := v.b[0], int(v.b[1]&shortLength)
	if control&(version|encrypted|changed) != 0 {
		return EncapsulatedMACsec
	}
	n := header
	if control&hasID != 0 {
		n += identifier
	}
	if length != 0 {
		v = v.resize(min(v.wire, n+length))
	}
	return d.tagged(s, v, n)
}
