package decode

import (
	"testing"

	"telltale/capture"
)

func vxlanPackets() []wrapped {
	raw := capture.LinkRaw
	gpe := func(next uint16) []byte { return words(0x0c00, next, 0, 0x0700) }
	return []wrapped{
		{"VXLAN", raw, onUDP(4789, words(0x0800, 0, 0x1234, 0x5600), innerFrame()), tcp4, TunnelVXLAN, 0x123456, 1},
		{"VXLAN of Linux", raw, onUDP(8472, words(0x0800, 0, 0, 0x0700), innerVLAN()), onVLAN(tcp4, "5"), TunnelVXLAN, 7, 1},
		{"VXLAN with reserved fields", raw, onUDP(4789, words(0xff01, 0xd1f2, 0, 0x07ff), innerFrame()), tcp4, TunnelVXLAN, 7, 1},
		{"VXLAN on IPv6", raw, on6(17, join(words(near, 4789, 80, 0, 0x0800, 0, 0, 0x0700), innerFrame())), tcp4, TunnelVXLAN, 7, 1},
		{"VXLAN-GPE frame", raw, onUDP(4790, words(0x0800, 0, 0, 0x0700), innerFrame()), tcp4, TunnelVXLANGPE, 7, 1},
		{"VXLAN-GPE IPv4", raw, onUDP(4790, gpe(1), inner4()), tcp4, TunnelVXLANGPE, 7, 1},
		{"VXLAN-GPE IPv6", raw, onUDP(4790, gpe(2), inner6()), udp6, TunnelVXLANGPE, 7, 1},
		{"VXLAN-GPE named frame", raw, onUDP(4790, gpe(3), innerFrame()), tcp4, TunnelVXLANGPE, 7, 1},
		{"VXLAN-GPE service header", raw, onUDP(4790, gpe(4), words(0x0fc2, 0x0202, 0, 0x09ff), inner6()), udp6, TunnelNSH, 9, 2},
	}
}

func TestVXLAN(t *testing.T) {
	checkWrapped(t, vxlanPackets())
	for name, data := range map[string][]byte{
		"empty":                 nil,
		"identifier not valid":  join(words(0, 0, 0, 0), innerFrame()),
		"no frame":              join(words(0x0800, 0, 0, 0), make([]byte, 40)),
		"frame of unknown type": join(words(0x0800, 0, 0, 0), ether(0xfffe, inner4())),
		"IPv6 for IPv4":         join(words(0x0800, 0, 0, 0), ether(0x0800, inner6())),
		"text":                  []byte("(hello, this is some text and not a frame at all)"),
	} {
		plainUDP(t, name, 4789, onUDP(4789, data))
	}
	for name, data := range map[string][]byte{
		"version 1":     join(words(0x1c00, 1, 0, 0), inner4()),
		"unknown next":  join(words(0x0c00, 9, 0, 0), inner4()),
		"next 0":        join(words(0x0c00, 0, 0, 0), innerFrame()),
		"IPv6 for IPv4": join(words(0x0c00, 1, 0, 0), inner6()),
	} {
		plainUDP(t, "GPE "+name, 4790, onUDP(4790, data))
	}
}
