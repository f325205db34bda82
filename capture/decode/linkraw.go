package decode

import "telltale/capture"

var (
	_ = registerLink(capture.LinkRaw, readRaw)
	_ = registerLink(capture.LinkRawOld, readRaw)
	_ = registerLink(capture.LinkRawBSD, readRaw)
	_ = registerLink(capture.LinkIPv4, readIPv4)
	_ = registerLink(capture.LinkIPv6, readIPv6)
)

// readRaw reads a packet that begins with the IP header; its version says which.
func readRaw(d *Decoder, s *Segment, v view) Reason {
	switch v.b[0] >> 4 {
	case 4:
		return d.ipv4(s, v)
	case 6:
		return d.ipv6(s, v)
	}
	return BadHeader
}

func readIPv4(d *Decoder, s *Segment, v view) Reason { return d.ipv4(s, v) }

func readIPv6(d *Decoder, s *Segment, v view) Reason { return d.ipv6(s, v) }
