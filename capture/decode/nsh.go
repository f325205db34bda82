package decode

import "encoding/binary"

var (
	_ = registerEther(0x894f, readNSH)
	_ = registerProtocol(145, readNSHOnIP)
)

// readNSH reads what is behind a network service header (RFC 8300 §2).
func readNSH(d *Decoder, s *Segment, v view) Reason { return d.nsh(s, v, (*Segment).enter) }

// readNSHOnIP reads a network service header straight inside IP.
func readNSHOnIP(d *Decoder, s *Segment, v view) Reason { return d.nsh(s, v, (*Segment).enterOnIP) }

func (d *Decoder) nsh(s *Segment, v view, enter func(*Segment, Tunnel, uint32) bool) Reason {
	const (
		header = 8
		length = 0x3f // in words
	)
	b := v.b
	if len(b) < header {
		return v.short(header)
	}
	n, next, path := 4*int(b[1]&length), b[3], binary.BigEndian.Uint32(b[4:])>>8
	switch {
	case b[0]>>6 != 0 || n < header:
		return BadHeader
	case len(b) < n:
		return v.short(n)
	case !enter(s, TunnelNSH, path):
		return BadHeader
	}
	return d.nshNext(s, next, v.skip(n))
}

// nshNext reads what next protocol number announces (IANA "NSH Next Protocol").
func (d *Decoder) nshNext(s *Segment, next uint8, v view) Reason {
	switch next {
	case 1:
		return d.ipv4(s, v)
	case 2:
		return d.ipv6(s, v)
	case 3:
		return readEthernet(d, s, v)
	case 4:
		return readNSH(d, s, v)
	case 5:
		return readMPLS(d, s, v)
	}
	return EncapsulatedNSH
}
