package decode

import (
	"testing"

	"telltale/capture"
)

// neighbourBytes is an ICMPv6 message with this hop limit.
func neighbourBytes(kind, hops uint8) []byte {
	b := ip6(58, icmpBytes(kind, 0, make([]byte, 16)))
	b[7] = hops
	return b
}

func TestMessages(t *testing.T) {
	cdp := join([]byte{0xaa, 0xaa, 3, 0, 0, 12}, words(0x2000), make([]byte, 22))
	inTunnel := func(frame []byte) []byte { return onUDP(4789, words(0x0800, 0, 0, 0x0700), frame) }
	tests := []struct {
		name  string
		link  capture.LinkType
		data  []byte
		proto capture.Proto // none if it is no message
		size  int           // of the payload
	}{
		{"ARP", capture.LinkEthernet, ether(0x0806, make([]byte, 46)), capture.ProtoARP, 46},
		{"ARP behind a tag", capture.LinkEthernet, ether(0x8100, words(5, 0x0806), make([]byte, 28)), capture.ProtoARP, 28},
		{"ARP, cooked", capture.LinkSLL, sll(1, 0x0806, make([]byte, 28)), capture.ProtoARP, 28},
		{"ARP in a tunnel", capture.LinkRaw, inTunnel(ether(0x0806, make([]byte, 28))), capture.ProtoARP, 28},
		{"LLDP", capture.LinkEthernet, ether(0x88cc, make([]byte, 40)), capture.ProtoLLDP, 40},
		{"CDP and padding", capture.LinkEthernet, ether(30, cdp, make([]byte, 16)), capture.ProtoCDP, 22},
		{"CDP in Cisco HDLC", 104, join(words(0x8f00, 0x2000), make([]byte, 22)), capture.ProtoCDP, 22},
		{"CDP in a tunnel", capture.LinkRaw, inTunnel(ether(30, cdp)), capture.ProtoCDP, 22},
		{"neighbour solicitation", capture.LinkRaw, neighbourBytes(135, 255), capture.ProtoNDP, 24},
		{"redirect", capture.LinkRaw, neighbourBytes(137, 255), capture.ProtoNDP, 24},
		{"neighbour solicitation from afar", capture.LinkRaw, neighbourBytes(135, 254), capture.ProtoNone, 0},
		{"echo", capture.LinkRaw, neighbourBytes(128, 255), capture.ProtoNone, 0},
		{"after neighbour discovery", capture.LinkRaw, neighbourBytes(138, 255), capture.ProtoNone, 0},
		{"RARP", capture.LinkEthernet, ether(0x8035, make([]byte, 46)), capture.ProtoNone, 0},
	}
	for _, c := range tests {
		r, s := decodeOne(c.link, c.data)
		if (r == Message) != (c.proto != capture.ProtoNone) || s.Message != c.proto {
			t.Errorf("%s: %v %s, want %s", c.name, r, s.Message, c.proto)
		}
		if r != Message {
			continue
		}
		if len(s.Payload) != c.size || int(s.PayloadLen) != c.size || s.SrcPort != 0 || s.DstPort != 0 {
			t.Errorf("%s: %d of %d bytes, ports %d and %d; want %d bytes and no ports", c.name, len(s.Payload), s.PayloadLen, s.SrcPort, s.DstPort, c.size)
		}
		ndp := c.proto == capture.ProtoNDP
		if hasAddr := s.Src != [16]byte{}; hasAddr != ndp || (s.Protocol == protocolICMPv6) != ndp {
			t.Errorf("%s: protocol %d, source %x", c.name, s.Protocol, s.Src)
		}
	}
}

// A message cut by the snap length is handed on with its true length.
func TestMessageCut(t *testing.T) {
	p := packet(capture.LinkEthernet, ether(0x88cc, make([]byte, 40)))
	p.Data = p.Data[:30]
	var s Segment
	if r := New(Config{}).Decode(p, &s); r != Message || len(s.Payload) != 16 || s.PayloadLen != 40 {
		t.Errorf("%v, %d of %d bytes", r, len(s.Payload), s.PayloadLen)
	}
}

// A fragmented solicitation is not believed.
func TestNeighbourInFragments(t *testing.T) {
	b := ip6(44, part6(58, 9, 0, true, icmpBytes(135, 0, nil)))
	c := ip6(44, part6(58, 9, 8, false, make([]byte, 16)))
	b[7], c[7] = 255, 255
	d := New(Config{})
	if got, _ := feed(d, b, c); got != "fragment_held icmp" {
		t.Errorf("got %s", got)
	}
}
