package decode

import (
	"testing"

	"telltale/capture"
)

// label is an entry of a label stack.
func label(n uint32, bottom bool) []byte {
	low := uint16(n<<12) | 64
	if bottom {
		low |= 0x100
	}
	return words(uint16(n>>4), low)
}

func mplsPackets() []wrapped {
	eth, raw := capture.LinkEthernet, capture.LinkRaw
	bottom := label(100, true)
	like4, like6 := innerFrame(), innerFrame()
	like4[0], like6[0] = 0x44, 0x66
	return []wrapped{
		{"MPLS IPv4", eth, ether(0x8847, bottom, inner4()), tcp4, TunnelMPLS, 100, 1},
		{"MPLS IPv6", eth, ether(0x8848, bottom, inner6()), udp6, TunnelMPLS, 100, 1},
		{"MPLS in a VLAN", eth, ether(0x8100, words(7, 0x8847), bottom, inner4()), onVLAN(tcp4, "7"), TunnelMPLS, 100, 1},
		{"MPLS three labels", eth, ether(0x8847, label(9000, false), label(50, false), bottom, inner4()), tcp4, TunnelMPLS, 100, 1},
		{"MPLS explicit null", eth, ether(0x8847, label(50, false), label(0, true), inner4()), tcp4, TunnelMPLS, 50, 1},
		{"MPLS entropy label", eth, ether(0x8847, label(50, false), label(7, false), label(777777, true), inner4()), tcp4, TunnelMPLS, 50, 1},
		{"pseudowire with control word", eth, ether(0x8847, bottom, words(0, 5), innerVLAN()), onVLAN(tcp4, "5"), TunnelMPLS, 100, 1},
		{"pseudowire without control word", eth, ether(0x8847, bottom, innerFrame()), tcp4, TunnelMPLS, 100, 1},
		{"pseudowire, address like IPv4", eth, ether(0x8847, bottom, like4), tcp4, TunnelMPLS, 100, 1},
		{"pseudowire, address like IPv6", eth, ether(0x8847, bottom, like6), tcp4, TunnelMPLS, 100, 1},
		{"MPLS in GRE", raw, on4(47, join(words(0, 0x8847), bottom, inner4())), tcp4, TunnelMPLS, 100, 2},
		{"MPLS in IP", raw, on4(137, join(bottom, inner4())), tcp4, TunnelMPLS, 100, 1},
		{"MPLS in UDP", raw, onUDP(6635, bottom, inner4()), tcp4, TunnelMPLS, 100, 1},
		{"pseudowire in UDP", raw, onUDP(6635, bottom, words(0, 5), innerFrame()), tcp4, TunnelMPLS, 100, 1},
	}
}

func TestMPLS(t *testing.T) {
	checkWrapped(t, mplsPackets())
	var sixteen []byte
	for range maxLabels {
		sixteen = append(sixteen, label(100, false)...)
	}
	tests := []struct {
		name string
		data []byte
		want Reason
	}{
		{"associated channel", join(label(13, true), words(0x1000, 0x0021), make([]byte, 40)), NotIP},
		{"ARP in a pseudowire", join(label(100, true), words(0, 0), ether(0x0806, make([]byte, 28))), Message},
		{"other payload", join(label(100, true), make([]byte, 40)), EncapsulatedMPLS},
		{"no payload", label(100, true), BadHeader},
		{"no bottom", label(100, false), BadHeader},
		{"too many labels", join(sixteen, label(100, true), inner4()), BadHeader},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { check(t, capture.LinkEthernet, ether(0x8847, test.data), test.want, "") })
	}
	plainUDP(t, "other payload", 6635, onUDP(6635, label(100, true), make([]byte, 40)))
	plainUDP(t, "no label", 6635, onUDP(6635, []byte{1, 2}))
}
