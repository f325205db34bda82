package decode

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"telltale/capture"
)

func onVLAN(summary, vlan string) string {
	return strings.Replace(summary, "vlan 0", "vlan "+vlan, 1)
}

func littleEndian(family uint32) []byte { return binary.LittleEndian.AppendUint32(nil, family) }

func bigEndian(family uint32) []byte { return binary.BigEndian.AppendUint32(nil, family) }

func sll(device, protocol uint16, payload []byte) []byte {
	return join(words(0, device, 6), []byte{2, 0, 0, 0, 0, 1, 0, 0}, words(protocol), payload)
}

func sll2(device, protocol uint16, payload []byte) []byte {
	return join(words(protocol, 0, 0, 3, device), []byte{0, 6, 2, 0, 0, 0, 0, 1, 0, 0}, payload)
}

func TestEthernet(t *testing.T) {
	v4, v6 := ip4(6, tcpBytes("hi")), ip6(17, udpBytes("hi"))
	snap := join([]byte{0xaa, 0xaa, 3, 0, 0, 0}, words(0x0800), v4)
	offloaded := put(slices.Clone(snap), 8+2, 0)
	tests := []struct {
		name string
		data []byte
		want Reason
		seg  string
	}{
		{"IPv4", ether(0x0800, v4), OK, tcp4},
		{"IPv6", ether(0x86dd, v6), OK, udp6},
		{"padding", ether(0x0800, v4, make([]byte, 6)), OK, tcp4},
		{"802.1Q", ether(0x8100, words(0x6005, 0x0800), v4), OK, onVLAN(tcp4, "5")},
		{"802.1ad around 802.1Q", ether(0x88a8, words(7, 0x8100, 9, 0x86dd), v6), OK, onVLAN(udp6, "9")},
		{"0x9100 around 802.1Q", ether(0x9100, words(7, 0x8100, 9, 0x0800), v4), OK, onVLAN(tcp4, "9")},
		{"priority tag inside a VLAN", ether(0x8100, words(7, 0x8100, 0xe000, 0x0800), v4), OK, onVLAN(tcp4, "7")},
		{"eight tags", ether(0x8100, slices.Repeat(words(3, 0x8100), 7), words(3, 0x0800), v4), OK, onVLAN(tcp4, "3")},
		{"nine tags", ether(0x8100, slices.Repeat(words(3, 0x8100), 8), words(3, 0x0800), v4), BadHeader, ""},
		{"tag cut off", ether(0x8100, []byte{0, 5, 8}), Truncated, ""},
		{"SNAP", ether(uint16(len(snap)), snap, make([]byte, 4)), OK, tcp4},
		{"padding behind SNAP without IP length", ether(uint16(len(offloaded)), offloaded, make([]byte, 4)), OK, tcp4},
		{"SNAP in a VLAN", ether(0x8100, words(5, uint16(len(snap))), snap), OK, onVLAN(tcp4, "5")},
		{"IP on LLC", ether(0x40, []byte{6, 6, 3}, v4), OK, tcp4},
		{"spanning tree", ether(38, []byte{0x42, 0x42, 3}, make([]byte, 43)), NotIP, ""},
		{"CDP", ether(100, []byte{0xaa, 0xaa, 3, 0, 0, 12}, words(0x2000)), Message, ""},
		{"another protocol of Cisco", ether(100, []byte{0xaa, 0xaa, 3, 0, 0, 12}, words(0x2004)), NotIP, ""},
		{"SNAP with a length inside", ether(100, []byte{0xaa, 0xaa, 3, 0, 0, 0}, words(64), v4), NotIP, ""},
		{"ARP", ether(0x0806, make([]byte, 46)), Message, ""},
		{"LLDP", ether(0x88cc, make([]byte, 46)), Message, ""},
		{"unassigned EtherType", ether(0xfffe, v4), UnknownEthertype, ""},
		{"neither length nor EtherType", ether(1501, v4), UnknownEthertype, ""},
		{"runt", ether(0x0800)[:13], Truncated, ""},
		{"no data", nil, Empty, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { check(t, capture.LinkEthernet, test.data, test.want, test.seg) })
	}
}

func check(t *testing.T, link capture.LinkType, data []byte, want Reason, seg string) {
	t.Helper()
	r, s := decodeOne(link, data)
	if r != want {
		t.Fatalf("reason %v, want %v", r, want)
	}
	if got := summary(&s); seg != "" && got != seg {
		t.Errorf("got  %s\nwant %s", got, seg)
	}
}

func TestOtherLinks(t *testing.T) {
	v4, v6 := ip4(6, tcpBytes("hi")), ip6(6, tcpBytes("hi"))
	tests := []struct {
		name string
		link capture.LinkType
		data []byte
		want Reason
		seg  string
	}{
		{"raw IPv4", capture.LinkRaw, v4, OK, tcp4},
		{"raw IPv6", capture.LinkRaw, v6, OK, tcp6},
		{"raw as 12", capture.LinkRawOld, v6, OK, tcp6},
		{"raw as 14", capture.LinkRawBSD, v4, OK, tcp4},
		{"raw neither", capture.LinkRaw, []byte{0x50, 0}, BadHeader, ""},
		{"IPv4 only", capture.LinkIPv4, v4, OK, tcp4},
		{"IPv4 only with IPv6", capture.LinkIPv4, v6, BadHeader, ""},
		{"IPv6 only", capture.LinkIPv6, v6, OK, tcp6},
		{"IPv6 only with IPv4", capture.LinkIPv6, join(v4, v4), BadHeader, ""},
		{"null little-endian", capture.LinkNull, join(littleEndian(2), v4), OK, tcp4},
		{"null big-endian", capture.LinkNull, join(bigEndian(2), v4), OK, tcp4},
		{"null IPv6 of Linux", capture.LinkNull, join(littleEndian(10), v6), OK, tcp6},
		{"null IPv6 of Windows", capture.LinkNull, join(littleEndian(23), v6), OK, tcp6},
		{"null IPv6 of NetBSD", capture.LinkNull, join(bigEndian(24), v6), OK, tcp6},
		{"null IPv6 of FreeBSD", capture.LinkNull, join(littleEndian(28), v6), OK, tcp6},
		{"null IPv6 of macOS", capture.LinkNull, join(littleEndian(30), v6), OK, tcp6},
		{"null other family", capture.LinkNull, join(littleEndian(7), v4), NotIP, ""},
		{"null cut off", capture.LinkNull, []byte{2, 0, 0}, Truncated, ""},
		{"loop", capture.LinkLoop, join(bigEndian(24), v6), OK, tcp6},
		{"cooked", capture.LinkSLL, sll(1, 0x0800, v4), OK, tcp4},
		{"cooked VLAN", capture.LinkSLL, sll(1, 0x8100, join(words(5, 0x86dd), v6)), OK, onVLAN(tcp6, "5")},
		{"cooked LLC", capture.LinkSLL, sll(1, 4, join([]byte{0xaa, 0xaa, 3, 0, 0, 0}, words(0x0800), v4)), OK, tcp4},
		{"cooked spanning tree", capture.LinkSLL, sll(1, 4, []byte{0x42, 0x42, 3, 0}), NotIP, ""},
		{"cooked Novell", capture.LinkSLL, sll(1, 1, v4), NotIP, ""},
		{"cooked netlink", capture.LinkSLL, sll(824, 0x0800, v4), NotIP, ""},
		{"cooked cut off", capture.LinkSLL, sll(1, 0x0800, nil)[:15], Truncated, ""},
		{"cooked v2", capture.LinkSLL2, sll2(1, 0x86dd, v6), OK, tcp6},
		{"cooked v2 VLAN", capture.LinkSLL2, sll2(1, 0x88a8, join(words(5, 0x8100, 6, 0x0800), v4)), OK, onVLAN(tcp4, "6")},
		{"cooked v2 cut off", capture.LinkSLL2, sll2(1, 0x0800, nil)[:19], Truncated, ""},
		{"unregistered", 147, v4, UnknownLink, ""},
		{"beyond the table", 1 << 31, v4, UnknownLink, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { check(t, test.link, test.data, test.want, test.seg) })
	}
}

func TestLinks(t *testing.T) {
	want := []capture.LinkType{
		0, 1, 6, 7, 9, 10, 12, 14, 50, 51, 101, 104, 105, 108, 113, 119, 127, 129,
		163, 166, 192, 204, 228, 229, 239, 258, 276,
	}
	if got := Links(); !slices.Equal(got, want) {
		t.Errorf("link types %v, want %v", got, want)
	}
}

func TestMAC(t *testing.T) {
	v4 := ip4(6, tcpBytes("hi"))
	short := sll(1, 0x0800, v4)
	short[5] = 4 // address length
	none, one, two := [6]byte{}, [6]byte{2, 0, 0, 0, 0, 1}, [6]byte{2, 0, 0, 0, 0, 2}
	tests := []struct {
		name     string
		link     capture.LinkType
		data     []byte
		src, dst [6]byte
	}{
		{"Ethernet", capture.LinkEthernet, ether(0x0800, v4), one, two},
		{"cooked", capture.LinkSLL, sll(1, 0x0800, v4), one, none},
		{"cooked v2", capture.LinkSLL2, sll2(1, 0x0800, v4), one, none},
		{"cooked, four-byte address", capture.LinkSLL, short, none, none},
		{"raw", capture.LinkRaw, v4, none, none},
	}
	for _, test := range tests {
		r, s := decodeOne(test.link, test.data)
		if r != OK || s.SrcMAC != test.src || s.DstMAC != test.dst {
			t.Errorf("%s: %v, MACs %x > %x, want %x > %x", test.name, r, s.SrcMAC, s.DstMAC, test.src, test.dst)
		}
	}
}
