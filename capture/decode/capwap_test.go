package decode

import (
	"testing"

	"telltale/capture"
)

// capwap is a header with the flags of its second word half.
func capwap(flags uint16, more ...[]byte) []byte {
	return join([]byte{0, 0x10}, words(flags, 0, 0), join(more...))
}

func capwapPackets() []wrapped {
	raw := capture.LinkRaw
	const native = 0x0300 // 802.11 in its own form
	data := dot11Bytes(0x08, 1, snap(), inner4())
	swapped := dot11Bytes(0x11, 0x08, snap(), inner4())
	swapped[22], swapped[23] = 0x76, 0x30
	long := join([]byte{0, 0x20}, words(0x0320, 0, 0), make([]byte, 8), data)
	return []wrapped{
		{"CAPWAP frame", raw, onUDP(5247, capwap(0x0200, innerFrame())), tcp4, TunnelCAPWAP, 0, 1},
		{"CAPWAP 802.11", raw, onUDP(5247, capwap(native, data)), tcp4, TunnelCAPWAP, 0, 1},
		{"CAPWAP 802.11 swapped", raw, onUDP(5247, capwap(native, swapped)), tcp4, TunnelCAPWAP, 0, 1},
		{"CAPWAP row of frames", raw, onUDP(5247, capwap(native, dot11Bytes(0x88, 1, []byte{0x80, 0}, innerFrame()))), tcp4, TunnelCAPWAP, 0, 1},
		{"CAPWAP with radio information", raw, onUDP(5247, long), tcp4, TunnelCAPWAP, 0, 1},
		{"CAPWAP first fragment", raw, onUDP(5247, capwap(native|0x80, data)), tcp4, TunnelCAPWAP, 0, 1},
	}
}

func TestCAPWAP(t *testing.T) {
	checkWrapped(t, capwapPackets())
	data := dot11Bytes(0x08, 1, snap(), inner4())
	later := capwap(0x0380, data)
	put(later, 6, 0x0100)
	dtls := capwap(0x0300, data)
	dtls[0] = 1
	for name, b := range map[string][]byte{
		"empty":             nil,
		"encrypted":         dtls,
		"later fragment":    later,
		"keep-alive":        capwap(0x0308, data),
		"header of 4 bytes": join([]byte{0, 8}, words(0x0300, 0, 0), data),
		"header too long":   join([]byte{0, 0xf8}, words(0x0300, 0, 0), data),
		"other binding":     capwap(0x0500, data),
		"beacon":            capwap(0x0300, dot11Bytes(0x80, 0, make([]byte, 20))),
		"no frame":          capwap(0x0200, make([]byte, 40)),
	} {
		plainUDP(t, name, 5247, onUDP(5247, b))
	}
}
