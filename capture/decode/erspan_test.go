package decode

import (
	"testing"

	"telltale/capture"
)

func erspanPackets() []wrapped {
	raw := capture.LinkRaw
	gre := func(t uint16, parts ...[]byte) []byte {
		return on4(47, join(words(greSequence, t, 0, 1), join(parts...)))
	}
	third := func(vlan, last uint16) []byte { return words(0x2000|vlan, 0x6123, 0, 0, 0, last) }
	return []wrapped{
		{"ERSPAN I", raw, on4(47, join(words(0, 0x88be), innerFrame())), tcp4, TunnelERSPAN, 0, 1},
		{"ERSPAN II", raw, gre(0x88be, words(0x1000, 0x1123, 0, 0), innerFrame()), tcp4, TunnelERSPAN, 0x123, 1},
		{"ERSPAN II, VLAN in its header", raw, gre(0x88be, words(0x1009, 0x1123, 0, 0), innerFrame()), onVLAN(tcp4, "9"), TunnelERSPAN, 0x123, 1},
		{"ERSPAN II, VLAN in the frame", raw, gre(0x88be, words(0x1009, 0x1123, 0, 0), innerVLAN()), onVLAN(tcp4, "5"), TunnelERSPAN, 0x123, 1},
		{"ERSPAN III", raw, gre(0x22eb, third(9, 0), innerFrame()), onVLAN(tcp4, "9"), TunnelERSPAN, 0x123, 1},
		{"ERSPAN III with subheader", raw, gre(0x22eb, third(0, 1), make([]byte, 8), innerFrame()), tcp4, TunnelERSPAN, 0x123, 1},
		{"ERSPAN III, IP", raw, gre(0x22eb, third(0, 2<<10), inner6()), udp6, TunnelERSPAN, 0x123, 1},
	}
}

func TestERSPAN(t *testing.T) {
	checkWrapped(t, erspanPackets())
	gre := words(greSequence, 0x88be, 0, 1)
	check(t, capture.LinkRaw, on4(47, join(gre, words(0x3000, 0, 0, 0), innerFrame())), BadHeader, "")
	gre = words(greSequence, 0x22eb, 0, 1)
	check(t, capture.LinkRaw, on4(47, join(gre, words(0x1000, 0, 0, 0, 0, 0), innerFrame())), BadHeader, "")
	check(t, capture.LinkRaw, on4(47, join(gre, words(0x2000, 0, 0, 0, 0, 1))), BadHeader, "")
}

// A mirrored frame that was cut keeps its true length.
func TestERSPANCutFrame(t *testing.T) {
	frame := innerFrame()
	put(frame, 14+2, 1400)
	check(t, capture.LinkRaw, on4(47, join(words(0, 0x88be), frame)), OK,
		`tcp 192.0.2.1:40000 > 198.51.100.2:443 vlan 0: "hi" of 1360`)
}
