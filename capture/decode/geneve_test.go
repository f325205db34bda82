package decode

import (
	"testing"

	"telltale/capture"
)

func genevePackets() []wrapped {
	raw := capture.LinkRaw
	return []wrapped{
		{"GENEVE", raw, onUDP(6081, words(0, 0x6558, 0x1234, 0x5600), innerFrame()), tcp4, TunnelGENEVE, 0x123456, 1},
		{"GENEVE options", raw, onUDP(6081, words(0x0340, 0x6558, 0, 0x0700), make([]byte, 12), innerVLAN()), onVLAN(tcp4, "5"), TunnelGENEVE, 7, 1},
		{"GENEVE IPv4", raw, onUDP(6081, words(0, 0x0800, 0, 0x0700), inner4()), tcp4, TunnelGENEVE, 7, 1},
		{"GENEVE IPv6", raw, onUDP(6081, words(0, 0x86dd, 0, 0x0700), inner6()), udp6, TunnelGENEVE, 7, 1},
	}
}

func TestGENEVE(t *testing.T) {
	checkWrapped(t, genevePackets())
	for name, data := range map[string][]byte{
		"empty":             nil,
		"version 1":         join(words(0x4000, 0x6558, 0, 0), innerFrame()),
		"options too long":  join(words(0x3f00, 0x6558, 0, 0), innerFrame()),
		"other type":        join(words(0, 0xfffe, 0, 0), innerFrame()),
		"length for a type": join(words(0, 38, 0, 0), []byte{0x42, 0x42, 3}, make([]byte, 40)),
		"no frame":          join(words(0, 0x6558, 0, 0), make([]byte, 40)),
		"no IPv4":           join(words(0, 0x0800, 0, 0), inner6()),
	} {
		plainUDP(t, name, 6081, onUDP(6081, data))
	}
}
