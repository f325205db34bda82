package decode

var (
	_ = registerProtocol(4, readIPIP)  // RFC 2003, RFC 2473
	_ = registerProtocol(41, readIPIP) // RFC 4213
	_ = registerProtocol(94, readIPIP) // IP within IP, before RFC 2003
)

// readIPIP reads an IP packet straight inside IP. Its version says which; the
// protocol number need not agree.
func readIPIP(d *Decoder, s *Segment, v view) Reason {
	if !s.enterOnIP(TunnelIPIP, 0) {
		return BadHeader
	}
	return d.ip(s, v)
}

// ip reads an IP packet of either version.
func (d *Decoder) ip(s *Segment, v view) Reason {
	if len(v.b) == 0 {
		return v.short(1)
	}
	return readRaw(d, s, v)
}
