package decode

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"telltale/capture"
)

// The ends of tunnels in tests.
var (
	near4, far4 = netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("203.0.113.2")
	near6, far6 = netip.MustParseAddr("2001:db8:ff::1"), netip.MustParseAddr("2001:db8:ff::2")
)

const near = 50000 // UDP port of the near end

// on4, on6 and onUDP put payload into a packet between the ends of a tunnel.
func on4(protocol uint8, payload []byte) []byte {
	b := ip4(protocol, payload)
	copy(b[12:], join(near4.AsSlice(), far4.AsSlice()))
	return b
}

func on6(next uint8, payload []byte) []byte {
	b := ip6(next, payload)
	copy(b[8:], join(near6.AsSlice(), far6.AsSlice()))
	return b
}

func onUDP(port uint16, parts ...[]byte) []byte {
	payload := join(parts...)
	return on4(17, join(words(near, port, uint16(8+len(payload)), 0), payload))
}

// The usual innermost packets, and a frame with the first of them.
func inner4() []byte { return ip4(6, tcpBytes("hi")) }

func inner6() []byte { return ip6(17, udpBytes("hi")) }

func innerFrame() []byte { return ether(0x0800, inner4()) }

func innerVLAN() []byte { return ether(0x8100, words(5, 0x0800), inner4()) }

// wrapped is a packet in an encapsulation, and what is to be found inside.
type wrapped struct {
	name   string
	link   capture.LinkType
	data   []byte
	seg    string
	tunnel Tunnel
	id     uint32
	depth  uint8
}

// allWrapped has the packets of all encapsulations.
func allWrapped() []wrapped {
	return slices.Concat(grePackets(), erspanPackets(), genevePackets(), vxlanPackets(), ipipPackets(),
		pppPackets(), gtpPackets(), mplsPackets(), teredoPackets(), l2tpPackets(), tzspPackets(),
		capwapPackets(), bridgePackets(), nshPackets(), espPackets(), dot11Packets())
}

func checkWrapped(t *testing.T, tests []wrapped) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, s := decodeOne(test.link, test.data)
			got := fmt.Sprintf("%v %s in %v %#x depth %d", r, summary(&s), s.Tunnel, s.TunnelID, s.Depth)
			want := fmt.Sprintf("%v %s in %v %#x depth %d", OK, test.seg, test.tunnel, test.id, test.depth)
			if got != want {
				t.Errorf("\ngot  %s\nwant %s", got, want)
			}
			if ends := fmt.Sprint(netip.AddrFrom16(s.OuterSrc).Unmap(), " ", netip.AddrFrom16(s.OuterDst).Unmap()); test.onIP() != (ends != ":: ::") ||
				ends != ":: ::" && ends != fmt.Sprint(near4, " ", far4) && ends != fmt.Sprint(near6, " ", far6) {
				t.Errorf("the ends of the tunnel are %s", ends)
			}
		})
	}
}

// onIP says whether the outermost header of w is IP.
func (w *wrapped) onIP() bool { return w.link == capture.LinkRaw }

// plainUDP checks that data is taken for an ordinary datagram to port, of which
// nothing inside is believed.
func plainUDP(t *testing.T, name string, port uint16, data []byte) {
	t.Helper()
	r, s := decodeOne(capture.LinkRaw, data)
	want := fmt.Sprintf("udp %v:%d > %v:%d vlan 0: %q of %d", near4, near, far4, port, data[28:], len(data)-28)
	if got := summary(&s); r != OK || got != want || s.Tunnel != NoTunnel || s.Depth != 0 || s.TunnelID != 0 || s.OuterSrc != [16]byte{} {
		t.Errorf("%s: %v, tunnel %v\ngot  %s\nwant %s", name, r, s.Tunnel, got, want)
	}
}

// Cut anywhere, a packet in a tunnel gives the inner flow or, as an ordinary
// datagram, the outer one, and no third.
func TestEveryCutOfTunnels(t *testing.T) {
	for _, w := range allWrapped() {
		flow, _, _ := strings.Cut(w.seg, " vlan")
		outer4, outer6 := fmt.Sprintf("udp %v:%d > %v:", near4, near, far4), fmt.Sprintf("udp [%v]:%d > [%v]:", near6, near, far6)
		for n := range len(w.data) {
			for _, length := range []int{n, len(w.data)} {
				p := packet(w.link, w.data[:n])
				p.Length = uint32(length)
				var s Segment
				r := New(Config{}).Decode(p, &s)
				got := summary(&s)
				inside := s.Tunnel != NoTunnel || w.tunnel == NoTunnel
				outside := s.Tunnel == NoTunnel && (strings.HasPrefix(got, outer4) || strings.HasPrefix(got, outer6))
				if r == OK && !outside && !(inside && strings.HasPrefix(got, flow+" ")) {
					t.Errorf("%s, %d of %d bytes: %s", w.name, n, length, got)
				}
			}
		}
	}
}

// An encapsulation reads the same inside another, of whatever kind.
func TestNesting(t *testing.T) {
	for _, w := range allWrapped() {
		if w.link != capture.LinkRaw || w.tunnel == NoTunnel {
			continue
		}
		for name, data := range map[string][]byte{
			"GRE":           on6(47, join(words(0, uint16(map[byte]int{4: 0x0800, 6: 0x86dd}[w.data[0]>>4])), w.data)),
			"GENEVE":        onUDP(6081, words(0, 0x6558, 0, 0x0900), ether(map[byte]uint16{4: 0x0800, 6: 0x86dd}[w.data[0]>>4], w.data)),
			"fragmented IP": on4(4, w.data),
		} {
			d := New(Config{})
			var s Segment
			r := FragmentHeld
			if name != "fragmented IP" {
				r = d.Decode(packet(capture.LinkRaw, data), &s)
			} else {
				for _, part := range halves(data) {
					r = d.Decode(packet(capture.LinkRaw, part), &s)
				}
			}
			if got := summary(&s); r != OK || got != w.seg || s.Tunnel != w.tunnel || s.TunnelID != w.id || s.Depth != w.depth+1 {
				t.Errorf("%s in %s: %v, %v %#x depth %d\ngot  %s\nwant %s", w.name, name, r, s.Tunnel, s.TunnelID, s.Depth, got, w.seg)
			}
		}
	}
}

// halves cuts an IPv4 packet into two fragments.
func halves(b []byte) [][]byte {
	cut := 20 + (len(b)-20)/2&^7
	first, second := slices.Clone(b[:cut]), join(b[:20], b[cut:])
	put(put(first, 2, uint16(len(first))), 6, fragmentMore4)
	put(put(second, 2, uint16(len(second))), 6, uint16(cut-20)/8)
	return [][]byte{first, second}
}

// Fragments outside and inside a tunnel: each of two inner fragments is itself
// fragmented on the way.
func TestFragmentsInFragments(t *testing.T) {
	d := New(Config{})
	var s Segment
	var got []string
	whole := ip4(17, udpBytes(strings.Repeat("x", 200)))
	for i, inside := range halves(whole) {
		outside := put(on4(47, join(words(0x2000, 0x0800, 0, 9), inside)), 4, uint16(100+i))
		for _, part := range halves(outside) {
			got = append(got, d.Decode(packet(capture.LinkRaw, part), &s).String())
		}
	}
	if want := "fragment_held fragment_held fragment_held ok"; strings.Join(got, " ") != want {
		t.Fatalf("got %v, want %s", got, want)
	}
	if s.DstPort != 443 || len(s.Payload) != 200 || !s.Reassembled || s.Tunnel != TunnelGRE || s.TunnelID != 9 {
		t.Errorf("wrong segment: %s", summary(&s))
	}
}

// Fragments of two networks that use the same addresses are not mixed.
func TestFragmentsOfOtherNetworks(t *testing.T) {
	d := New(Config{})
	var s Segment
	parts := halves(ip4(17, udpBytes(strings.Repeat("x", 64))))
	in := func(network uint16, b []byte) *capture.Packet {
		return packet(capture.LinkRaw, onUDP(4789, words(0x0800, 0, 0, network<<8), ether(0x0800, b)))
	}
	for i, p := range []*capture.Packet{in(1, parts[0]), in(2, parts[1]), in(1, parts[1])} {
		want := []Reason{FragmentHeld, FragmentHeld, OK}[i]
		if r := d.Decode(p, &s); r != want {
			t.Errorf("fragment %d: %v, want %v", i, r, want)
		}
	}
}

// There is an end to nesting: what lies deeper is not read, and the last UDP tunnel is
// an ordinary datagram.
func TestDepthLimit(t *testing.T) {
	b := inner4()
	for range maxDepth {
		b = on4(4, b)
	}
	check(t, capture.LinkRaw, b, OK, tcp4)
	check(t, capture.LinkRaw, on4(4, b), BadHeader, "")

	deep := onUDP(2152, []byte{0x30, 255}, words(44, 0, 9), ip4(6, tcpBytes("hello")[:24]))
	for range maxDepth {
		deep = on4(4, deep)
	}
	if r, s := decodeOne(capture.LinkRaw, deep); r != OK || s.DstPort != 2152 || s.Tunnel != TunnelIPIP || s.Depth != maxDepth {
		t.Errorf("%v %s in %v", r, summary(&s), s.Tunnel)
	}
}

// No encapsulation goes beyond the limit, whichever it is.
func TestDepthLimitOfEach(t *testing.T) {
	for _, w := range allWrapped() {
		b, layers := w.data, maxDepth
		if w.link == capture.LinkEthernet {
			b, layers = on4(97, join([]byte{0x30, 0}, b)), maxDepth-1
		} else if w.link != capture.LinkRaw {
			continue
		}
		for range layers {
			b = on4(4, b)
		}
		r, s := decodeOne(capture.LinkRaw, b)
		plain := r == OK && s.SrcPort == near
		if s.Depth != maxDepth || !plain && r != BadHeader && r != EncapsulatedESP && r != EncapsulatedL2TP {
			t.Errorf("%s: %v %s in %v, depth %d", w.name, r, summary(&s), s.Tunnel, s.Depth)
		}
	}
}

// A bad packet inside counts as what is bad about it.
func TestReasonsInside(t *testing.T) {
	tests := []struct {
		name  string
		inner []byte
		want  Reason
	}{
		{"ARP", ether(0x0806, make([]byte, 46)), Message},
		{"wake-on-LAN", ether(0x0842, make([]byte, 46)), NotIP},
		{"spanning tree", ether(38, []byte{0x42, 0x42, 3}, make([]byte, 43)), NotIP},
		{"ping", ether(0x0800, ip4(1, make([]byte, 8))), ICMP},
		{"SCTP", ether(0x0800, ip4(132, make([]byte, 12))), OtherTransport},
		{"bad TCP offset", ether(0x0800, ip4(6, put(tcpBytes("hi"), 12, 4<<12))), BadHeader},
		{"fragment", ether(0x0800, frag4(0, true, make([]byte, 8))), FragmentHeld},
	}
	for _, test := range tests {
		check(t, capture.LinkRaw, onUDP(4789, words(0x0800, 0, 0, 0x0700), test.inner), test.want, "")
	}
}

// An unreachable message inside a tunnel quotes a packet of the inside.
func TestUnreachableInside(t *testing.T) {
	data := onUDP(4789, words(0x0800, 0, 0, 0x0700), ether(0x0800, on4(1, icmpBytes(3, 3, inner4()))))
	r, s := decodeOne(capture.LinkRaw, data)
	if want := `tcp 192.0.2.1:40000 > 198.51.100.2:443 vlan 0: "" of 0`; r != Unreachable || summary(&s) != want {
		t.Errorf("%v\ngot  %s\nwant %s", r, summary(&s), want)
	}
}

// IP straight inside IP has no MACs, a frame inside has its own.
func TestMACInside(t *testing.T) {
	outside := func(b []byte) []byte {
		return join([]byte{4, 4, 4, 4, 4, 4, 6, 6, 6, 6, 6, 6}, words(0x8100, 77, 0x0800), b)
	}
	if _, s := decodeOne(capture.LinkEthernet, outside(on4(4, inner4()))); s.VLAN != 0 || s.SrcMAC != [6]byte{} || s.DstMAC != [6]byte{} {
		t.Errorf("IPIP: VLAN %d, %x > %x; want none", s.VLAN, s.SrcMAC, s.DstMAC)
	}
	_, s := decodeOne(capture.LinkEthernet, outside(on4(97, join([]byte{0x30, 0}, innerVLAN()))))
	if s.VLAN != 5 || s.SrcMAC != [6]byte{2, 0, 0, 0, 0, 1} || s.DstMAC != [6]byte{2, 0, 0, 0, 0, 2} {
		t.Errorf("EtherIP: VLAN %d, %x > %x; want those of the frame inside", s.VLAN, s.SrcMAC, s.DstMAC)
	}
}

func TestTunnelNames(t *testing.T) {
	seen := map[string]bool{}
	for kind := range tunnelCount {
		if name := kind.String(); name == "" || seen[name] {
			t.Errorf("tunnel %d is called %q, which is empty or taken", kind, name)
		} else {
			seen[name] = true
		}
	}
	if tunnelCount.String() != "unknown" {
		t.Errorf("a value that is none is called %s", tunnelCount.String())
	}
}
