package decode

var (
	_ = registerProtocol(97, readEtherIP)
	_ = registerProtocol(143, readEthernetOnIP)
	_ = registerEther(0x6558, readEthernet) // a bridged frame inside GRE or GENEVE
)

// readEtherIP reads EtherIP (RFC 3378 §3), whose first four bits are the version.
func readEtherIP(d *Decoder, s *Segment, v view) Reason {
	const (
		header  = 2
		version = 3
	)
	if len(v.b) < header {
		return v.short(header)
	}
	if v.b[0]>>4 != version {
		return BadHeader
	}
	return readEthernetOnIP(d, s, v.skip(header))
}

// readEthernetOnIP reads a frame that an IP or IPv6 header names as its payload
// (RFC 8986 §4.9).
func readEthernetOnIP(d *Decoder, s *Segment, v view) Reason {
	if !s.enterOnIP(TunnelEthernet, 0) {
		return BadHeader
	}
	return readEthernet(d, s, v)
}
