package decode

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"telltale/capture"
)

// Packets are built from the inside out by the functions below: 192.0.2.1 or
// 2001:db8::1, port 40000, sends to 198.51.100.2 or 2001:db8::2, port 443.
var (
	source4, target4 = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.2")
	source6, target6 = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
)

func words(w ...uint16) []byte {
	var b []byte
	for _, x := range w {
		b = binary.BigEndian.AppendUint16(b, x)
	}
	return b
}

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

func ether(t uint16, payload ...[]byte) []byte {
	return join([]byte{2, 0, 0, 0, 0, 2}, []byte{2, 0, 0, 0, 0, 1}, words(t), join(payload...))
}

func tcpBytes(payload string) []byte {
	b := words(40000, 443, 0, 1, 0, 2, 5<<12|ACK|PSH, 1024, 0, 0)
	return append(b, payload...)
}

func udpBytes(payload string) []byte {
	return append(words(40000, 443, uint16(8+len(payload)), 0), payload...)
}

func ip4(protocol uint8, payload []byte) []byte {
	b := join(words(0x4500, uint16(20+len(payload)), 7, 0), []byte{64, protocol, 0, 0},
		source4.AsSlice(), target4.AsSlice())
	return append(b, payload...)
}

// ip4Part is a fragment of an IPv4 datagram; offset is in bytes.
func ip4Part(protocol uint8, id uint16, offset int, more bool, data []byte) []byte {
	b := ip4(protocol, data)
	word := uint16(offset / 8)
	if more {
		word |= fragmentMore4
	}
	put(b, 4, id)
	put(b, 6, word)
	return b
}

func ip6(next uint8, payload []byte) []byte {
	b := join(words(0x6000, 0, uint16(len(payload))), []byte{next, 64}, source6.AsSlice(), target6.AsSlice())
	return append(b, payload...)
}

// part6 is a fragment header with its data; offset is in bytes.
func part6(next uint8, id uint32, offset int, more bool, data []byte) []byte {
	word := uint16(offset)
	if more {
		word |= fragmentMore6
	}
	b := join([]byte{next, 0}, words(word), binary.BigEndian.AppendUint32(nil, id))
	return append(b, data...)
}

// extensionBytes is an extension header of 8+8*extra bytes.
func extensionBytes(next uint8, extra int, payload []byte) []byte {
	b := make([]byte, 8+8*extra)
	b[0], b[1] = next, uint8(extra)
	return append(b, payload...)
}

// put returns b with the 16-bit word at offset replaced.
func put(b []byte, offset int, w uint16) []byte {
	binary.BigEndian.PutUint16(b[offset:], w)
	return b
}

func packet(link capture.LinkType, b []byte) *capture.Packet {
	return &capture.Packet{Data: b, Length: uint32(len(b)), Link: link, Time: 1e9, Ordinal: 1}
}

// decodeOne decodes b with a Decoder of its own.
func decodeOne(link capture.LinkType, b []byte) (Reason, Segment) {
	var s Segment
	return New(Config{}).Decode(packet(link, b), &s), s
}

// summary is s on one line.
func summary(s *Segment) string {
	name := map[uint8]string{protocolTCP: "tcp", protocolUDP: "udp"}[s.Protocol]
	src := netip.AddrPortFrom(netip.AddrFrom16(s.Src).Unmap(), s.SrcPort)
	dst := netip.AddrPortFrom(netip.AddrFrom16(s.Dst).Unmap(), s.DstPort)
	return fmt.Sprintf("%s %v > %v vlan %d: %q of %d", name, src, dst, s.VLAN, s.Payload, s.PayloadLen)
}

const (
	tcp4 = `tcp 192.0.2.1:40000 > 198.51.100.2:443 vlan 0: "hi" of 2`
	tcp6 = `tcp [2001:db8::1]:40000 > [2001:db8::2]:443 vlan 0: "hi" of 2`
	udp4 = `udp 192.0.2.1:40000 > 198.51.100.2:443 vlan 0: "hi" of 2`
	udp6 = `udp [2001:db8::1]:40000 > [2001:db8::2]:443 vlan 0: "hi" of 2`
)
