package decode

var (
	_ = registerLink(6, readTokenRing)
	_ = registerLink(7, readARCnet)
	_ = registerLink(10, readFDDI)
	_ = registerLink(129, readARCnetLinux)
)

// readTokenRing reads access and frame control, addresses and, if the first bit of
// the source says so, a route (LINKTYPE_IEEE802_5).
func readTokenRing(d *Decoder, s *Segment, v view) Reason {
	const (
		header      = 14
		frameMask   = 0xc0
		frameLLC    = 0x40
		hasRoute    = 0x80
		routeLength = 0x1f
	)
	if len(v.b) < header {
		return v.short(header)
	}
	n := header
	s.DstMAC, s.SrcMAC = [6]byte(v.b[2:]), [6]byte(v.b[8:])
	if s.SrcMAC[0]&hasRoute != 0 {
		s.SrcMAC[0] &^= hasRoute
		if len(v.b) < header+2 {
			return v.short(header + 2)
		}
		n += int(v.b[header] & routeLength)
	}
	if v.b[1]&frameMask != frameLLC {
		return NotIP
	}
	return d.llc(s, v, n)
}

// readFDDI reads frame control and addresses (LINKTYPE_FDDI).
func readFDDI(d *Decoder, s *Segment, v view) Reason {
	const (
		header    = 13
		frameMask = 0x70
		frameLLC  = 0x50
	)
	if len(v.b) < header {
		return v.short(header)
	}
	if v.b[0]&frameMask != frameLLC {
		return NotIP
	}
	s.DstMAC, s.SrcMAC = [6]byte(v.b[1:]), [6]byte(v.b[7:])
	return d.llc(s, v, header)
}

// llc reads an 802.2 header behind n bytes.
func (d *Decoder) llc(s *Segment, v view, n int) Reason {
	const snap = 8
	if len(v.b) < n+snap {
		return v.short(n + snap)
	}
	t, v := unwrapLLC(v.skip(n))
	if t == 0 {
		return NotIP
	}
	return d.network(s, t, v)
}

// readARCnet reads source, destination and protocol (LINKTYPE_ARCNET_BSD).
func readARCnet(d *Decoder, s *Segment, v view) Reason { return d.arcnet(s, v, 2) }

// readARCnetLinux reads the same with two bytes in front of the protocol
// (LINKTYPE_ARCNET_LINUX).
func readARCnetLinux(d *Decoder, s *Segment, v view) Reason { return d.arcnet(s, v, 4) }

// arcnet reads the protocol at an offset. Packets by RFC 1201 have a split flag and a
// sequence number behind it, twice if the first flag fills up a short frame; the
// flag is odd in the first of several fragments and even, but not 0, in later ones.
func (d *Decoder) arcnet(s *Segment, v view, at int) Reason {
	const (
		ipOld, ip, ipv6 = 240, 212, 196
		split           = 3
		filled          = 0xff
	)
	if len(v.b) < at+1 {
		return v.short(at + 1)
	}
	protocol := v.b[at]
	v = v.skip(at + 1)
	if protocol == ipOld {
		return d.ipv4(s, v)
	}
	if protocol != ip && protocol != ipv6 {
		return NotIP
	}
	if len(v.b) < split {
		return v.short(split)
	}
	flag := v.b[0]
	if v = v.skip(split); flag == filled {
		if len(v.b) < split+1 {
			return v.short(split + 1)
		}
		flag, v = v.b[1], v.skip(split+1)
	}
	if flag != 0 && flag&1 == 0 {
		return FragmentDropped
	}
	if protocol == ip {
		return d.ipv4(s, v)
	}
	return d.ipv6(s, v)
}
