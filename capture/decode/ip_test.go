package decode

import (
	"slices"
	"testing"

	"telltale/capture"
)

func withOptions(b []byte) []byte {
	b = slices.Insert(b, 20, 1, 1, 1, 0)
	b[0] = 0x46
	return put(b, 2, uint16(len(b)))
}

func ah(next uint8, payload []byte) []byte {
	return join([]byte{next, 4}, make([]byte, 22), payload)
}

func TestIPv4(t *testing.T) {
	v4 := func() []byte { return ip4(6, tcpBytes("hi")) }
	tests := []struct {
		name string
		data []byte
		want Reason
		seg  string
	}{
		{"options", withOptions(v4()), OK, tcp4},
		{"total length 0", put(v4(), 2, 0), OK, tcp4},
		{"total length beyond the packet", put(v4(), 2, 142), OK, `tcp 192.0.2.1:40000 > 198.51.100.2:443 vlan 0: "hi" of 102`},
		{"total length less than header", put(v4(), 2, 19), BadHeader, ""},
		{"total length cuts TCP", put(v4(), 2, 39), BadHeader, ""},
		{"header length 16", put(v4(), 0, 0x4400), BadHeader, ""},
		{"version 5", put(v4(), 0, 0x5500), BadHeader, ""},
		{"cut in options", withOptions(v4())[:22], Truncated, ""},
		{"cut in header", v4()[:19], Truncated, ""},
		{"cut in TCP", v4()[:39], Truncated, ""},
		{"authentication header", ip4(51, ah(6, tcpBytes("hi"))), OK, tcp4},
		{"authentication header too short", ip4(51, join([]byte{6, 0, 0, 0, 0, 0, 0, 0}, tcpBytes("hi"))), BadHeader, ""},
		{"do not fragment", put(v4(), 6, 0x4000), OK, tcp4},
		{"ICMP echo", ip4(1, make([]byte, 8)), ICMP, ""},
		{"ESP", ip4(50, make([]byte, 8)), EncapsulatedESP, ""},
		{"IPComp", ip4(108, make([]byte, 8)), EncapsulatedIPComp, ""},
		{"SCTP", ip4(132, make([]byte, 12)), OtherTransport, ""},
		{"ICMPv6 on IPv4", ip4(58, make([]byte, 12)), OtherTransport, ""},
		{"hop-by-hop on IPv4", ip4(0, extensionBytes(6, 0, tcpBytes("hi"))), OtherTransport, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { check(t, capture.LinkIPv4, test.data, test.want, test.seg) })
	}
}

func TestIPv6(t *testing.T) {
	hi := tcpBytes("hi")
	all := extensionBytes(43, 0, extensionBytes(60, 2, extensionBytes(44, 0,
		part6(51, 1, 0, false, ah(135, extensionBytes(139, 0, extensionBytes(140, 1, extensionBytes(6, 0, hi))))))))
	chain := func(n int) []byte {
		b := hi
		for i := range n {
			next := uint8(60)
			if i == 0 {
				next = 6
			}
			b = extensionBytes(next, 0, b)
		}
		return ip6(60, b)
	}
	long := ip6(60, extensionBytes(6, 3, hi))
	long[41] = 200
	tests := []struct {
		name string
		data []byte
		want Reason
		seg  string
	}{
		{"all extension headers", ip6(0, all), OK, tcp6},
		{"sixteen extension headers", chain(16), OK, tcp6},
		{"seventeen extension headers", chain(17), BadHeader, ""},
		{"payload length 0", put(ip6(6, hi), 4, 0), OK, tcp6},
		{"payload length beyond the packet", put(ip6(6, hi), 4, 122), OK, `tcp [2001:db8::1]:40000 > [2001:db8::2]:443 vlan 0: "hi" of 102`},
		{"atomic fragment", ip6(44, part6(6, 1, 0, false, hi)), OK, tcp6},
		{"two fragment headers", ip6(44, part6(44, 1, 0, false, part6(6, 1, 0, false, hi))), BadHeader, ""},
		{"extension beyond the packet", long, BadHeader, ""},
		{"extension not captured", put(slices.Clone(long), 4, 2000), Truncated, ""},
		{"extension cut by the payload length", put(ip6(60, extensionBytes(6, 0, hi)), 4, 6)[:46], BadHeader, ""},
		{"no next header", ip6(59, nil), Empty, ""},
		{"version 4", put(ip6(6, hi), 0, 0x4500), BadHeader, ""},
		{"cut in header", ip6(6, hi)[:39], Truncated, ""},
		{"ICMPv6", ip6(58, make([]byte, 8)), ICMP, ""},
		{"ICMP on IPv6", ip6(1, make([]byte, 8)), OtherTransport, ""},
		{"ESP", ip6(50, hi), EncapsulatedESP, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { check(t, capture.LinkIPv6, test.data, test.want, test.seg) })
	}
}

func TestTransport(t *testing.T) {
	tcpOffset := func(words uint16) []byte { return ip4(6, put(tcpBytes("hi"), 12, words<<12|ACK)) }
	udpLength := func(n uint16) []byte { return ip4(17, put(udpBytes("hi"), 4, n)) }
	options := ip4(6, put(tcpBytes("\x01\x01\x01\x00hi"), 12, 6<<12|ACK))
	tests := []struct {
		name string
		data []byte
		want Reason
		seg  string
	}{
		{"TCP options", options, OK, tcp4},
		{"cut in TCP options", options[:41], OK, `tcp 192.0.2.1:40000 > 198.51.100.2:443 vlan 0: "" of 2`},
		{"TCP offset too small", tcpOffset(4), BadHeader, ""},
		{"TCP offset beyond the packet", tcpOffset(6), BadHeader, ""},
		{"UDP", udpLength(10), OK, udp4},
		{"UDP length 0", udpLength(0), OK, udp4},
		{"UDP length 7", udpLength(7), BadHeader, ""},
		{"UDP length less than IP says", udpLength(9), OK, `udp 192.0.2.1:40000 > 198.51.100.2:443 vlan 0: "h" of 1`},
		{"UDP length beyond the packet", udpLength(900), OK, udp4},
		{"UDP without payload", ip4(17, udpBytes("")), OK, `udp 192.0.2.1:40000 > 198.51.100.2:443 vlan 0: "" of 0`},
		{"UDP payload cut", udpLength(10)[:29], OK, `udp 192.0.2.1:40000 > 198.51.100.2:443 vlan 0: "h" of 2`},
		{"UDP header cut", udpLength(10)[:27], Truncated, ""},
		{"no room for UDP", ip4(17, make([]byte, 7)), BadHeader, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { check(t, capture.LinkIPv4, test.data, test.want, test.seg) })
	}
}

func TestTCPFields(t *testing.T) {
	_, s := decodeOne(capture.LinkEthernet, ether(0x0800, ip4(6, tcpBytes("hi"))))
	if s.Seq != 1 || s.Ack != 2 || s.Flags != ACK|PSH || s.IPv6 || s.Reassembled || s.Time != 1e9 || s.Packet != 1 {
		t.Errorf("wrong fields: %+v", s)
	}
}

// With offloading the IP length is 0, and the wire length alone tells what a short
// snap length hid.
func TestWireLengthWithoutIPLength(t *testing.T) {
	for _, data := range [][]byte{put(ip4(6, tcpBytes("hi")), 2, 0), put(ip6(6, tcpBytes("hi")), 4, 0)} {
		p := packet(capture.LinkRaw, data)
		p.Length += 70000
		var s Segment
		if r := New(Config{}).Decode(p, &s); r != OK || s.PayloadLen != 70002 || string(s.Payload) != "hi" {
			t.Errorf("%v, %q of %d bytes, want ok and 70002", r, s.Payload, s.PayloadLen)
		}
	}
}

// A Segment is reused: nothing of the packet before may be left in it.
func TestSegmentReuse(t *testing.T) {
	d := New(Config{})
	var used Segment
	d.Decode(packet(capture.LinkEthernet, ether(0x8100, words(5, 0x86dd), ip6(6, tcpBytes("hi")))), &used)
	data := ip4(17, udpBytes("hi"))
	d.Decode(packet(capture.LinkRaw, data), &used)
	_, fresh := decodeOne(capture.LinkRaw, data)
	if summary(&used) != summary(&fresh) || used.SrcMAC != fresh.SrcMAC || used.Seq != fresh.Seq || used.Flags != 0 || used.IPv6 {
		t.Errorf("reused %+v\nfresh  %+v", used, fresh)
	}
}

// Every cut of a good packet decodes to itself or to a reason, and never to other ports.
func TestEveryCut(t *testing.T) {
	whole := ether(0x8100, words(5, 0x86dd), ip6(0, extensionBytes(6, 1, tcpBytes("hello"))))
	const transport = 14 + 4 + 40 + 16
	for n := 1; n < len(whole); n++ {
		p := packet(capture.LinkEthernet, whole[:n])
		p.Length = uint32(len(whole))
		var s Segment
		want := Truncated
		if n >= transport+tcpHeader {
			want = OK
		}
		if r := New(Config{}).Decode(p, &s); r != want || r == OK && (s.DstPort != 443 || s.PayloadLen != 5 || len(s.Payload) != n-transport-tcpHeader) {
			t.Errorf("%d bytes: %v, %s; want %v", n, r, summary(&s), want)
		}
	}
}
