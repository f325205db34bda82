package generate

import (
	"encoding/binary"
	"time"

	"github.com/miekg/dns"
)

// shell wraps what an Ethernet frame carries, of an EtherType, in one encapsulation.
type shell func(kind uint16, body []byte) (uint16, []byte)

// wrapped is a host whose question travels in these shells, the innermost first.
type wrapped struct {
	name   string
	shells []shell
	six    bool // the question is in IPv6
	hidden bool // nothing of it can be read
}

func in(name string, shells ...shell) wrapped { return wrapped{name: name, shells: shells} }

// shells are one of each encapsulation, and some in others.
func shells() []wrapped {
	vxlan := udpShell(4789, true, []byte{8, 0, 0, 0, 0, 0, 77, 0})
	geneve := udpShell(6081, true, []byte{0, 0, 0x65, 0x58, 0, 0, 78, 0})
	gtp := func(_ uint16, ip []byte) (uint16, []byte) {
		head := binary.BigEndian.AppendUint16([]byte{0x30, 0xff}, uint16(len(ip)))
		return overUDP(2152, append(append(head, 0, 0, 0, 79), ip...))
	}
	gre := func(kind uint16, body []byte) (uint16, []byte) { return overIP(47, append(words16(0, kind), body...)) }
	return []wrapped{
		in("vlan", tagShell(0x8100, 5)),
		in("qinq", tagShell(0x8100, 5), tagShell(0x88a8, 6)),
		in("stack-9100", tagShell(0x8100, 5), tagShell(0x9100, 6)),
		in("vntag", vntag),
		in("mpls", mpls),
		in("pseudowire", pseudowire),
		in("pppoe", pppoe),
		in("gre", gre),
		in("nvgre", framed(47, words16(0x2000, 0x6558, 0, 0x5000))),
		in("erspan2", framed(47, words16(0x1000, 0x88be, 0, 1, 0x1000, 80, 0, 0))),
		in("erspan3", framed(47, words16(0x1000, 0x22eb, 0, 1, 0x2000, 81, 0, 0, 0, 0))),
		in("vxlan", vxlan),
		in("geneve", geneve),
		in("ipip", func(_ uint16, ip []byte) (uint16, []byte) { return overIP(4, ip) }),
		in("etherip", framed(97, words16(0x3000))),
		in("gtp", gtp),
		in("tzsp", udpShell(37008, true, []byte{1, 0, 0, 1, 1})),
		in("vxlan-in-gre-in-vlan", vxlan, gre, tagShell(0x8100, 7)),
		in("vlan-in-vxlan-in-geneve", tagShell(0x8100, 8), vxlan, geneve),
		in("pppoe-in-pseudowire-in-qinq", pppoe, pseudowire, tagShell(0x8100, 9), tagShell(0x88a8, 10)),
		in("gtp-in-erspan2", gtp, framed(47, words16(0x1000, 0x88be, 0, 2, 0x1000, 82, 0, 0))),
	}
}

// Tunnels returns DNS questions, each of a host of its own and in another encapsulation or
// several; the name says in which.
func Tunnels() (*Capture, error) {
	t := newTrace(31)
	t.wrap(shells(), ethernet)
	return t.finish()
}

// wrap adds the questions of a list, one a second; link puts what the outermost shell gives
// into a frame.
func (t *trace) wrap(list []wrapped, link func(kind uint16, body []byte) []byte) {
	at := start()
	for i, w := range list {
		name := w.name + ".example"
		switch {
		case w.six:
			t.contact(inSix(host(i)), "dns", name)
		case !w.hidden:
			t.contact(host(i), "dns", name)
		}
		first := len(t.frames)
		question := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeA)
		question.Id = uint16(i + 1)
		t.message(at, endpoint{host(i), uint16(40000 + i)}, resolver(), question)
		const header = 14
		frame := &t.frames[first]
		kind, body := uint16(0x0800), frame.data[header:]
		for _, s := range w.shells {
			kind, body = s(kind, body)
		}
		frame.data = link(kind, body)
		frame.length = len(frame.data)
		at = at.Add(time.Second)
	}
}

// ethernet is a frame between the ends of a tunnel.
func ethernet(kind uint16, body []byte) []byte {
	head := append(hardware(host(190)), hardware(host(191))...)
	return append(binary.BigEndian.AppendUint16(head, kind), body...)
}

func words16(list ...uint16) (b []byte) {
	for _, w := range list {
		b = binary.BigEndian.AppendUint16(b, w)
	}
	return b
}

func tagShell(kind, id uint16) shell {
	return func(inner uint16, body []byte) (uint16, []byte) { return kind, append(words16(id, inner), body...) }
}

func vntag(kind uint16, body []byte) (uint16, []byte) {
	return 0x8926, append(words16(0, 1, kind), body...)
}

// mpls is two labels around an IP packet.
func mpls(_ uint16, ip []byte) (uint16, []byte) {
	return 0x8847, append(words16(0x0001, 0x0040, 0x0002, 0x0140), ip...)
}

// pseudowire is a label and a control word around a frame (RFC 4448 §4.6).
func pseudowire(kind uint16, body []byte) (uint16, []byte) {
	return 0x8847, append(words16(0x0003, 0x0140, 0, 0), ethernet(kind, body)...)
}

// pppoe is session 83 with an IP packet.
func pppoe(_ uint16, ip []byte) (uint16, []byte) {
	return 0x8864, append(words16(0x1100, 83, uint16(len(ip)+2), 0x0021), ip...)
}

// framed puts head and a frame on IP.
func framed(protocol uint8, head []byte) shell {
	return func(kind uint16, body []byte) (uint16, []byte) {
		return overIP(protocol, append(append([]byte(nil), head...), ethernet(kind, body)...))
	}
}

// udpShell puts head and what is wrapped, as a frame or as it is, on UDP.
func udpShell(port uint16, frame bool, head []byte) shell {
	return func(kind uint16, body []byte) (uint16, []byte) {
		if frame {
			body = ethernet(kind, body)
		}
		return overUDP(port, append(append([]byte(nil), head...), body...))
	}
}

// overUDP is a datagram without checksum.
func overUDP(port uint16, body []byte) (uint16, []byte) {
	return overIP(17, append(words16(50000, port, uint16(8+len(body)), 0), body...))
}

// overIP is an IPv4 packet between the ends of a tunnel.
func overIP(protocol uint8, body []byte) (uint16, []byte) {
	const length = 20
	head := words16(0x4500, uint16(length+len(body)), 0, 0x4000, 64<<8|uint16(protocol), 0)
	head = append(head, 198, 18, 0, 1, 198, 18, 0, 2)
	binary.BigEndian.PutUint16(head[10:], checksum(head, 0))
	return 0x0800, append(head, body...)
}
