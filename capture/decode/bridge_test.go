package decode

import (
	"testing"

	"telltale/capture"
)

// bridgePackets are frames as bridges exchange them: tagged, protected, or with
// another frame inside.
func bridgePackets() []wrapped {
	eth := capture.LinkEthernet
	return []wrapped{
		{"VN-Tag", eth, ether(0x8926, words(1, 2, 0x0800), inner4()), tcp4, NoTunnel, 0, 1},
		{"VN-Tag before VLAN", eth, ether(0x8926, words(1, 2, 0x8100, 5, 0x0800), inner4()), onVLAN(tcp4, "5"), NoTunnel, 0, 1},
		{"E-Tag", eth, ether(0x893f, words(1, 2, 3, 0x8100, 5, 0x86dd), inner6()), onVLAN(udp6, "5"), NoTunnel, 0, 1},
		{"Cisco metadata", eth, ether(0x8909, words(0x0101, 1, 9, 0x0800), inner4()), tcp4, NoTunnel, 0, 1},
		{"HSR", eth, ether(0x892f, words(0x1030, 9, 0x0800), inner4(), make([]byte, 4)), tcp4, NoTunnel, 0, 1},
		{"PBB", eth, ether(0x88a8, words(7, 0x88e7, 0x0012, 0x3456), innerVLAN()), onVLAN(tcp4, "5"), TunnelPBB, 0x123456, 1},
		{"PBB, customer without VLAN", eth, ether(0x88a8, words(7, 0x88e7, 0x0012, 0x3456), innerFrame()), tcp4, TunnelPBB, 0x123456, 1},
		{"TRILL", eth, ether(0x22f3, words(0x003f, 1, 2), innerVLAN()), onVLAN(tcp4, "5"), TunnelTRILL, 0, 1},
		{"TRILL options", eth, ether(0x22f3, words(0x00bf, 1, 2), make([]byte, 8), innerFrame()), tcp4, TunnelTRILL, 0, 1},
		{"MACsec in the clear", eth, ether(0x88e5, []byte{0, 0}, words(0, 1, 0x0800), inner4(), make([]byte, 16)), tcp4, NoTunnel, 0, 1},
		{"MACsec without IP length", eth, ether(0x88e5, []byte{0, 44}, words(0, 1, 0x0800), put(inner4(), 2, 0), make([]byte, 16)), tcp4, NoTunnel, 0, 1},
		{"MACsec with identifier, short", eth, ether(0x88e5, []byte{0x20, 44}, words(0, 1), make([]byte, 8), words(0x0800), inner4(), make([]byte, 16)), tcp4, NoTunnel, 0, 1},
	}
}

func TestBridges(t *testing.T) {
	checkWrapped(t, bridgePackets())
	nine := words(0, 0)
	for range maxDepth {
		nine = join(nine, words(0x8926, 0, 0))
	}
	tests := []struct {
		name string
		data []byte
		want Reason
	}{
		{"eight VN-Tags", ether(0x8926, nine[6:], words(0x0800), inner4()), OK},
		{"nine VN-Tags", ether(0x8926, nine, words(0x0800), inner4()), BadHeader},
		{"VN-Tag without type", ether(0x8926, words(1, 2)), BadHeader},
		{"Cisco metadata of another version", ether(0x8909, words(0x0201, 1, 9, 0x0800), inner4()), NotIP},
		{"PBB without frame", ether(0x88e7, words(0x0012, 0x3456)), Truncated},
		{"TRILL of another version", ether(0x22f3, words(0x403f, 1, 2), innerFrame()), BadHeader},
		{"TRILL options beyond the frame", ether(0x22f3, words(0x07ff, 1, 2), inner4()), BadHeader},
		{"MACsec encrypted", ether(0x88e5, []byte{0x0c, 0}, words(0, 1), make([]byte, 40)), EncapsulatedMACsec},
		{"MACsec changed", ether(0x88e5, []byte{0x04, 0}, words(0, 1), make([]byte, 40)), EncapsulatedMACsec},
		{"MACsec of another version", ether(0x88e5, []byte{0x80, 0}, words(0, 1), make([]byte, 40)), EncapsulatedMACsec},
		{"MACsec cut", ether(0x88e5, []byte{0, 0, 0}), BadHeader},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { check(t, capture.LinkEthernet, test.data, test.want, "") })
	}
}
