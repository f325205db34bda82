package decode

import "encoding/binary"

const ipv4Header = 20

// ipv4 reads an IPv4 packet (RFC 791).
func (d *Decoder) ipv4(s *Segment, v view) Reason {
	b := v.b
	if len(b) < ipv4Header {
		return Truncated
	}
	header := int(b[0]&0x0f) * 4
	total := int(binary.BigEndian.Uint16(b[2:4]))
	if total == 0 {
		total = v.wire // left to the network card (segmentation offload), or beyond 64 KiB
	}
	if b[0]>>4 != 4 || header < ipv4Header || total < header {
		return BadHeader
	}
	if len(b) < header {
		return Truncated
	}
	s.IPv6, s.Hops = false, b[8]
	s.ID = uint32(binary.BigEndian.Uint16(b[4:6]))
	mapIPv4(&s.Src, b[12:16])
	mapIPv4(&s.Dst, b[16:20])
	protocol := b[9]
	v = v.resize(total).skip(header)
	if flags := binary.BigEndian.Uint16(b[6:8]); flags&(fragmentMore4|fragmentOffset4) != 0 {
		var r Reason
		if v, r = d.fragment4(s, flags, protocol, v); r != OK {
			return r
		}
	}
	if protocol == protocolAH {
		var r Reason
		if protocol, v, r = authentication(v); r != OK {
			return r
		}
	}
	return d.upper(s, protocol, v)
}

// mapIPv4 sets a to ::ffff:b (RFC 4291 §2.5.5.2).
func mapIPv4(a *[16]byte, b []byte) {
	binary.BigEndian.PutUint64(a[:8], 0)
	binary.BigEndian.PutUint64(a[8:], 0xffff<<32|uint64(binary.BigEndian.Uint32(b)))
}
