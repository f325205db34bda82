package generate

import (
	"encoding/binary"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// place says where in a frame the headers are. The zero value is for frames that must
// stay as they are.
type place struct {
	ip, above, end int // offsets of the IP header, of what it carries, and behind that
	six            bool
	protocol       layers.IPProtocol
	data           int // offset of the TCP payload, 0 if there is none to cut
}

// locate finds the headers of a whole, unfragmented packet with one IP header.
func locate(f frame, link layers.LinkType) (p place) {
	packet := gopacket.NewPacket(f.data, link, gopacket.NoCopy)
	if len(f.data) < f.length || packet.ErrorLayer() != nil {
		return place{}
	}
	offset := 0
	for _, l := range packet.Layers() {
		if !p.meet(l, offset) {
			return place{}
		}
		offset += len(l.LayerContents())
	}
	if p.above == 0 || p.end > len(f.data) || p.end < p.above || p.data > p.end {
		return place{}
	}
	return p
}

// meet notes the layer l, which begins at offset. It reports false if the packet must
// stay as it is: a fragment, or one with a second IP header.
func (p *place) meet(l gopacket.Layer, offset int) bool {
	above := offset + len(l.LayerContents())
	first := p.above == 0
	switch l := l.(type) {
	case *layers.IPv4:
		*p = place{ip: offset, above: above, end: offset + int(l.Length), protocol: l.Protocol}
		return first && l.FragOffset == 0 && l.Flags&layers.IPv4MoreFragments == 0
	case *layers.IPv6:
		*p = place{ip: offset, above: above, end: above + int(l.Length), six: true, protocol: l.NextHeader}
		return first
	case *layers.TCP:
		if offset == p.above && !l.SYN {
			p.data = above
		}
	}
	return true
}

// cut returns f in segments of at most size payload bytes.
func (p place) cut(f frame, size int) []frame {
	if p.data == 0 || p.end-p.data <= size {
		return []frame{f}
	}
	const fin, psh = 0x01, 0x08
	var out []frame
	for at := p.data; at < p.end; at += size {
		stop := min(at+size, p.end)
		data := append(append([]byte(nil), f.data[:p.data]...), f.data[at:stop]...)
		tcp := data[p.above:]
		binary.BigEndian.PutUint32(tcp[4:], binary.BigEndian.Uint32(tcp[4:])+uint32(at-p.data))
		if stop < p.end {
			tcp[13] &^= fin | psh
		}
		p.measure(data)
		p.sumTCP(data)
		out = append(out, frame{at: f.at, data: data, length: len(data)})
	}
	return out
}

// fragment returns f in fragments of at most size bytes of payload.
func (p place) fragment(f frame, size int, ident uint16) []frame {
	if p.above == 0 || p.end-p.above <= size || p.six && !plain(p.protocol) {
		return []frame{f}
	}
	var out []frame
	for at := p.above; at < p.end; at += size {
		stop := min(at+size, p.end)
		data := append([]byte(nil), f.data[:p.above]...)
		position := uint16(at - p.above)
		more := stop < p.end
		if p.six {
			data = p.fragmentHeader6(data, position, more, ident)
		} else {
			p.fragmentHeader4(data, position, more, ident)
		}
		data = append(data, f.data[at:stop]...)
		p.measure(data)
		out = append(out, frame{at: f.at, data: data, length: len(data)})
	}
	return out
}

// plain reports whether a protocol stands right above IPv6, not behind another
// extension header.
func plain(protocol layers.IPProtocol) bool {
	switch protocol {
	case layers.IPProtocolTCP, layers.IPProtocolUDP, layers.IPProtocolICMPv6:
		return true
	}
	return false
}

// fragmentHeader4 sets identification, flags and offset (RFC 791 §3.1).
func (p place) fragmentHeader4(data []byte, position uint16, more bool, ident uint16) {
	field := position / 8
	if more {
		field |= 0x2000
	}
	binary.BigEndian.PutUint16(data[p.ip+4:], ident)
	binary.BigEndian.PutUint16(data[p.ip+6:], field)
}

// fragmentHeader6 appends a fragment header (RFC 8200 §4.5) and has the IPv6 header
// announce it.
func (p place) fragmentHeader6(data []byte, position uint16, more bool, ident uint16) []byte {
	field := position // the offset in units of 8 bytes stands in the upper 13 bits
	if more {
		field |= 1
	}
	data[p.ip+6] = byte(layers.IPProtocolIPv6Fragment)
	data = append(data, byte(p.protocol), 0)
	data = binary.BigEndian.AppendUint16(data, field)
	return binary.BigEndian.AppendUint32(data, uint32(ident))
}

// measure sets the length in the IP header, and the checksum of an IPv4 header.
func (p place) measure(data []byte) {
	if p.six {
		const header = 40
		binary.BigEndian.PutUint16(data[p.ip+4:], uint16(len(data)-p.ip-header))
		return
	}
	binary.BigEndian.PutUint16(data[p.ip+2:], uint16(len(data)-p.ip))
	head := data[p.ip:p.above]
	head[10], head[11] = 0, 0
	binary.BigEndian.PutUint16(head[10:], checksum(head, 0))
}

// sumTCP sets the checksum of the segment (RFC 9293 §3.1).
func (p place) sumTCP(data []byte) {
	from, to := p.ip+12, p.ip+20
	if p.six {
		from, to = p.ip+8, p.ip+40
	}
	tcp := data[p.above:]
	tcp[16], tcp[17] = 0, 0
	pseudo := uint32(layers.IPProtocolTCP) + uint32(len(tcp)) + uint32(^checksum(data[from:to], 0))
	binary.BigEndian.PutUint16(tcp[16:], checksum(tcp, pseudo))
}

// checksum is the internet checksum (RFC 1071) of data, begun with sum.
func checksum(data []byte, sum uint32) uint16 {
	for ; len(data) > 1; data = data[2:] {
		sum += uint32(binary.BigEndian.Uint16(data))
	}
	if len(data) == 1 {
		sum += uint32(data[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
