package decode

import (
	"strings"
	"testing"

	"telltale/capture"
)

func icmpBytes(kind, code uint8, quoted []byte) []byte {
	return join([]byte{kind, code, 0, 0, 0, 0, 0, 0}, quoted)
}

func TestUnreachable(t *testing.T) {
	bare := func(s string) string { return strings.Replace(s, `"hi" of 2`, `"" of 0`, 1) }
	q4, q6 := ip4(6, tcpBytes("hi")), ip6(17, udpBytes("hi"))
	tests := []struct {
		name string
		data []byte
		want Reason
		seg  string
	}{
		{"port, TCP", ip4(1, icmpBytes(3, 3, q4)), Unreachable, bare(tcp4)},
		{"port, UDP", ip4(1, icmpBytes(3, 3, ip4(17, udpBytes("hi")))), Unreachable, bare(udp4)},
		{"eight bytes quoted", ip4(1, icmpBytes(3, 13, q4[:28])), Unreachable, bare(tcp4)},
		{"options quoted", ip4(1, icmpBytes(3, 1, withOptions(ip4(6, tcpBytes("hi")))[:32])), Unreachable, bare(tcp4)},
		{"seven bytes quoted", ip4(1, icmpBytes(3, 3, q4[:27])), ICMP, ""},
		{"fragmentation needed", ip4(1, icmpBytes(3, 4, q4)), ICMP, ""},
		{"time exceeded", ip4(1, icmpBytes(11, 0, q4)), ICMP, ""},
		{"quoted ICMP", ip4(1, icmpBytes(3, 1, ip4(1, make([]byte, 8)))), ICMP, ""},
		{"quoted later fragment", ip4(1, icmpBytes(3, 1, put(ip4(6, tcpBytes("hi")), 6, 1))), ICMP, ""},
		{"quoted IPv6", ip4(1, icmpBytes(3, 3, q6)), ICMP, ""},
		{"quoted header length", ip4(1, icmpBytes(3, 3, put(ip4(6, tcpBytes("hi")), 0, 0x4100))), ICMP, ""},
		{"cut in ICMP", ip4(1, icmpBytes(3, 3, q4))[:27], Truncated, ""},
		{"no room for ICMP", ip4(1, make([]byte, 7)), BadHeader, ""},
		{"IPv6 port", ip6(58, icmpBytes(1, 4, q6)), Unreachable, bare(udp6)},
		{"IPv6 with extensions", ip6(58, icmpBytes(1, 0, ip6(0, extensionBytes(44, 0, part6(51, 9, 0, true, ah(6, tcpBytes("hi"))))))), Unreachable, bare(tcp6)},
		{"IPv6 later fragment", ip6(58, icmpBytes(1, 0, ip6(44, part6(6, 9, 8, true, tcpBytes("hi"))))), ICMP, ""},
		{"IPv6 quote cut in an extension", ip6(58, icmpBytes(1, 0, ip6(0, extensionBytes(6, 9, nil)[:20]))), ICMP, ""},
		{"packet too big", ip6(58, icmpBytes(2, 0, q6)), ICMP, ""},
		{"IPv6 quoting IPv4", ip6(58, icmpBytes(1, 4, join(q4, q4))), ICMP, ""},
		{"no room for ICMPv6", ip6(58, make([]byte, 7)), BadHeader, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { check(t, capture.LinkRaw, test.data, test.want, test.seg) })
	}
}

func TestUnreachableSeq(t *testing.T) {
	r, s := decodeOne(capture.LinkEthernet, ether(0x0800, ip4(1, icmpBytes(3, 3, ip4(6, tcpBytes(""))[:28]))))
	if r != Unreachable || s.Seq != 1 || s.SrcMAC != [6]byte{2, 0, 0, 0, 0, 1} {
		t.Errorf("%v, sequence %d, MAC %x; want the quoted sequence 1 and the MAC of the message", r, s.Seq, s.SrcMAC)
	}
}
