package decode

import (
	"testing"

	"telltale/capture"
)

func grePackets() []wrapped {
	raw := capture.LinkRaw
	route := join(words(2), []byte{0, 8}, make([]byte, 8), make([]byte, 4))
	return []wrapped{
		{"GRE", raw, on4(47, join(words(0, 0x0800), inner4())), tcp4, TunnelGRE, 0, 1},
		{"GRE on IPv6", raw, on6(47, join(words(0, 0x86dd), inner6())), udp6, TunnelGRE, 0, 1},
		{"GRE checksum", raw, on4(47, join(words(greChecksum, 0x0800, 1, 2), inner4())), tcp4, TunnelGRE, 0, 1},
		{"GRE key", raw, on4(47, join(words(greKey, 0x0800, 1, 2), inner4())), tcp4, TunnelGRE, 0x10002, 1},
		{"GRE sequence number", raw, on4(47, join(words(greSequence, 0x0800, 1, 2), inner4())), tcp4, TunnelGRE, 0, 1},
		{"GRE all fields", raw, on4(47, join(words(greChecksum|greKey|greSequence, 0x0800, 1, 2, 3, 4, 5, 6), inner4())), tcp4, TunnelGRE, 0x30004, 1},
		{"GRE routes", raw, on4(47, join(words(greRouting|greKey, 0x0800, 1, 2, 3, 4), route, inner4())), tcp4, TunnelGRE, 0x30004, 1},
		{"GRE bridged", raw, on4(47, join(words(0, 0x6558), innerVLAN())), onVLAN(tcp4, "5"), TunnelGRE, 0, 1},
		{"NVGRE", raw, on4(47, join(words(greKey, 0x6558, 1, 2), innerFrame())), tcp4, TunnelGRE, 0x10002, 1},
		{"GRE VLAN", raw, on4(47, join(words(0, 0x8100, 5, 0x0800), inner4())), onVLAN(tcp4, "5"), TunnelGRE, 0, 1},
		{"GRE PPP", raw, on4(47, join(words(0, 0x880b, 0xff03, 0x0021), inner4())), tcp4, TunnelGRE, 0, 1},
		{"PPTP", raw, on4(47, join(words(0x3001, 0x880b, 46, 7, 0, 1), words(0xff03, 0x0021), inner4())), tcp4, TunnelGRE, 7, 1},
		{"PPTP with acknowledgement", raw, on4(47, join(words(0x3081, 0x880b, 43, 7, 0, 1, 0, 2), []byte{0x21}, inner4())), tcp4, TunnelGRE, 7, 1},
		{"WCCP", raw, on4(47, join(words(0, 0x883e), inner4())), tcp4, TunnelGRE, 0, 1},
		{"WCCP version 2", raw, on4(47, join(words(0, 0x883e, 0x0100, 0), inner4())), tcp4, TunnelGRE, 0, 1},
	}
}

func TestGRE(t *testing.T) {
	checkWrapped(t, grePackets())
	tests := []struct {
		name string
		gre  []byte
		want Reason
	}{
		{"no header", nil, BadHeader},
		{"version 2", join(words(2, 0x0800), inner4()), EncapsulatedGRE},
		{"unknown payload", join(words(0, 0x1234), inner4()), EncapsulatedGRE},
		{"length for a type", join(words(0, 64), inner4()), EncapsulatedGRE},
		{"keep-alive", words(0, 0), Empty},
		{"key missing", words(greKey, 0x0800, 1), BadHeader},
		{"routes without end", join(words(greRouting, 0x0800, 0, 0), make([]byte, 3)), BadHeader},
		{"too many routes", join(words(greRouting, 0x0800, 0, 0), make([]byte, 0), routes(maxGRERoutes), inner4()), BadHeader},
		{"OSI", join(words(0, 0x8137), make([]byte, 20)), NotIP},
		{"PPTP without key", join(words(0x1001, 0x880b, 46, 7, 0, 1), inner4()), BadHeader},
		{"PPTP acknowledgement", words(0x2081, 0x880b, 0, 7, 0, 1), Empty},
		{"PPTP link control", join(words(0x3001, 0x880b, 8, 7, 0, 1, 0xff03, 0xc021, 0, 0)), NotIP},
		{"PPTP encrypted", join(words(0x3001, 0x880b, 8, 7, 0, 1, 0xff03, 0x00fd, 0, 0)), EncapsulatedPPP},
		{"unknown EtherType in a frame", join(words(0, 0x6558), ether(0xfffe, inner4())), UnknownEthertype},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { check(t, capture.LinkRaw, on4(47, test.gre), test.want, "") })
	}
}

func routes(n int) []byte {
	var b []byte
	for range n {
		b = append(b, 0, 2, 0, 0)
	}
	return b
}
