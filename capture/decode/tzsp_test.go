package decode

import (
	"testing"

	"telltale/capture"
)

func tzspPackets() []wrapped {
	raw := capture.LinkRaw
	tags := []byte{10, 1, 200, 0, 13, 2, 1, 2, 1} // signal, padding, times, end
	data := dot11Bytes(0x08, 1, snap(), inner4())
	prism := join(littleEndian(0x44), littleEndian(144), make([]byte, 136), data)
	return []wrapped{
		{"TZSP", raw, onUDP(37008, words(0x0100, 1), []byte{1}, innerFrame()), tcp4, TunnelTZSP, 0, 1},
		{"TZSP to transmit, tags", raw, onUDP(37008, words(0x0101, 1), tags, innerVLAN()), onVLAN(tcp4, "5"), TunnelTZSP, 0, 1},
		{"TZSP 802.11", raw, onUDP(37008, words(0x0100, 18), []byte{1}, data), tcp4, TunnelTZSP, 0, 1},
		{"TZSP Prism", raw, onUDP(37008, words(0x0100, 119), []byte{1}, prism), tcp4, TunnelTZSP, 0, 1},
	}
}

func TestTZSP(t *testing.T) {
	checkWrapped(t, tzspPackets())
	for name, data := range map[string][]byte{
		"empty":            nil,
		"version 2":        join(words(0x0200, 1), []byte{1}, innerFrame()),
		"keep-alive":       join(words(0x0104, 1), []byte{1}, innerFrame()),
		"unknown protocol": join(words(0x0100, 2), []byte{1}, innerFrame()),
		"no frame":         join(words(0x0100, 1), []byte{1}, make([]byte, 40)),
		"no end of tags":   join(words(0x0100, 1), []byte{10, 1}),
		"tag beyond":       join(words(0x0100, 1), []byte{10, 200, 1}),
		"too many tags":    join(words(0x0100, 1), make([]byte, maxTZSPTags), []byte{1}, innerFrame()),
		"802.11 beacon":    join(words(0x0100, 18), []byte{1}, dot11Bytes(0x80, 0, make([]byte, 20))),
		"no Prism header":  join(words(0x0100, 119), []byte{1}, make([]byte, 40)),
	} {
		plainUDP(t, name, 37008, onUDP(37008, data))
	}
}
