package decode

import "encoding/binary"

const (
	tcpHeader = 20
	udpHeader = 8
)

// tcp reads a TCP header (RFC 9293 §3.1). The options are not read, so a packet
// whose captured bytes end among them is still a segment.
func (d *Decoder) tcp(s *Segment, v view) Reason {
	b := v.b
	if len(b) < tcpHeader {
		return v.short(tcpHeader)
	}
	header := int(b[12]>>4) * 4
	if header < tcpHeader || header > v.wire {
		return BadHeader
	}
	s.Protocol = protocolTCP
	s.SrcPort = binary.BigEndian.Uint16(b[0:2])
	s.DstPort = binary.BigEndian.Uint16(b[2:4])
	s.Seq = binary.BigEndian.Uint32(b[4:8])
	s.Ack = binary.BigEndian.Uint32(b[8:12])
	s.Flags = b[13]
	s.Payload = b[min(header, len(b)):]
	s.PayloadLen = uint32(v.wire - header)
	return d.copies.transport(s, v.b)
}

// udp reads a UDP header (RFC 768). A length of 0 (jumbogram, offload) or beyond
// the packet gives way to the IP length.
func (d *Decoder) udp(s *Segment, v view) Reason {
	b := v.b
	if len(b) < udpHeader {
		return v.short(udpHeader)
	}
	if length := int(binary.BigEndian.Uint16(b[4:6])); length != 0 && length <= v.wire {
		if length < udpHeader {
			return BadHeader
		}
		v = v.resize(length)
	}
	s.Protocol = protocolUDP
	s.SrcPort = binary.BigEndian.Uint16(b[0:2])
	s.DstPort = binary.BigEndian.Uint16(b[2:4])
	s.Payload = v.b[udpHeader:]
	s.PayloadLen = uint32(v.wire - udpHeader)
	if d.ports.first[uint8(s.DstPort)]|d.ports.first[uint8(s.SrcPort)] != 0 { // without a call, most ports end here
		if r, ok := d.overUDP(s, v.skip(udpHeader)); ok {
			return r
		}
	}
	return d.copies.transport(s, v.b)
}
