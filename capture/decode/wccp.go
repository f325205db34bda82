package decode

var _ = registerGRE(0x883e, readWCCP)

// readWCCP reads a packet redirected by WCCP. Version 2 puts four bytes in front of
// it (draft-mclaggan-wccp-v2rev1 §4.12), whose first four bits are not 4.
func readWCCP(d *Decoder, s *Segment, _ uint16, v view) Reason {
	const header = 4
	if len(v.b) > 0 && v.b[0]>>4 != 4 {
		if len(v.b) < header {
			return v.short(header)
		}
		v = v.skip(header)
	}
	return d.ip(s, v)
}
