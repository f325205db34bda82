package decode

import "telltale/capture"

// Protocols below IP, and of ICMPv6, whose messages are handed on as they are.
var (
	_ = registerEther(0x0806, message(capture.ProtoARP))
	_ = registerEther(0x88cc, message(capture.ProtoLLDP))
	_ = registerEther(etherCDP, message(capture.ProtoCDP))
)

// etherCDP is the protocol of CDP behind a SNAP header of Cisco, and in Cisco HDLC.
const etherCDP = 0x2000

// message returns a reader of the messages of p, a protocol without IP.
func message(p capture.Proto) reader {
	return func(_ *Decoder, s *Segment, v view) Reason {
		s.Src, s.Dst, s.Hops = [16]byte{}, [16]byte{}, 0
		return s.message(p, 0, v)
	}
}

// message notes that v is a message of p.
func (s *Segment) message(p capture.Proto, protocol uint8, v view) Reason {
	s.Message, s.Protocol = p, protocol
	s.SrcPort, s.DstPort = 0, 0
	s.Payload, s.PayloadLen = v.b, uint32(v.wire)
	return Message
}

// neighbour tells the ICMPv6 messages of neighbour discovery (RFC 4861 §4) from
// others. Routers forward none, and must not be believed to (§11.2): the hop limit is
// still the highest. Fragments are not believed either (RFC 6980 §5).
func neighbour(s *Segment, kind uint8) bool {
	const first, last = 133, 137
	return first <= kind && kind <= last && s.Hops == 255 && !s.Reassembled
}
