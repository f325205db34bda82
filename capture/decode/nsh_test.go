package decode

import (
	"testing"

	"telltale/capture"
)

func nshPackets() []wrapped {
	eth, raw := capture.LinkEthernet, capture.LinkRaw
	short := func(next uint16) []byte { return words(0x0fc2, 0x0200|next, 0, 0x09ff) }
	return []wrapped{
		{"NSH IPv4", eth, ether(0x894f, short(1), inner4()), tcp4, TunnelNSH, 9, 1},
		{"NSH IPv6 with context", eth, ether(0x894f, words(0x0fc6, 0x0102, 0, 0x09ff), make([]byte, 16), inner6()), udp6, TunnelNSH, 9, 1},
		{"NSH frame", eth, ether(0x894f, short(3), innerVLAN()), onVLAN(tcp4, "5"), TunnelNSH, 9, 1},
		{"NSH in NSH", eth, ether(0x894f, short(4), short(1), inner4()), tcp4, TunnelNSH, 9, 2},
		{"NSH MPLS", eth, ether(0x894f, short(5), label(100, true), inner4()), tcp4, TunnelMPLS, 100, 2},
		{"NSH in GRE", raw, on4(47, join(words(0, 0x894f), short(1), inner4())), tcp4, TunnelNSH, 9, 2},
		{"NSH on IP", raw, on6(145, join(short(1), inner4())), tcp4, TunnelNSH, 9, 1},
	}
}

func TestNSH(t *testing.T) {
	checkWrapped(t, nshPackets())
	tests := []struct {
		name string
		data []byte
		want Reason
	}{
		{"version 1", join(words(0x4fc2, 0x0201, 0, 0), inner4()), BadHeader},
		{"length 4", join(words(0x0fc1, 0x0201, 0, 0), inner4()), BadHeader},
		{"length beyond the frame", join(words(0x0fff, 0x0201, 0, 0), inner4()), BadHeader},
		{"unknown payload", join(words(0x0fc2, 0x0209, 0, 0), inner4()), EncapsulatedNSH},
		{"cut", words(0x0fc2, 0x0201), BadHeader},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { check(t, capture.LinkEthernet, ether(0x894f, test.data), test.want, "") })
	}
}
