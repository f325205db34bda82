package decode

import (
	"testing"

	"telltale/capture"
)

func l2tpPackets() []wrapped {
	raw := capture.LinkRaw
	ppp := join(words(0xff03, 0x0021), inner4())
	third := func(between int, inner []byte) []byte {
		return onUDP(1701, words(3, 0, 1, 2), make([]byte, between), inner)
	}
	return []wrapped{
		{"L2TPv2", raw, onUDP(1701, words(0x0002, 1, 2), ppp), tcp4, TunnelL2TP, 0x10002, 1},
		{"L2TPv2 length", raw, onUDP(1701, words(0x4002, 54, 1, 2), ppp, []byte{0, 0}), tcp4, TunnelL2TP, 0x10002, 1},
		{"L2TPv2 sequence number", raw, onUDP(1701, words(0x0802, 1, 2, 3, 4), ppp), tcp4, TunnelL2TP, 0x10002, 1},
		{"L2TPv2 offset", raw, onUDP(1701, words(0x0202, 1, 2, 3), make([]byte, 3), ppp), tcp4, TunnelL2TP, 0x10002, 1},
		{"L2TPv2 all fields", raw, onUDP(1701, words(0x4a02, 62, 1, 2, 3, 4, 2, 0), ppp), tcp4, TunnelL2TP, 0x10002, 1},
		{"L2TPv2 IPv6, short", raw, onUDP(1701, words(0x0002, 1, 2), []byte{0x57}, inner6()), udp6, TunnelL2TP, 0x10002, 1},
		{"L2TPv3 frame", raw, third(0, innerFrame()), tcp4, TunnelL2TP, 0x10002, 1},
		{"L2TPv3 sublayer", raw, third(4, innerVLAN()), onVLAN(tcp4, "5"), TunnelL2TP, 0x10002, 1},
		{"L2TPv3 cookie", raw, third(8, innerFrame()), tcp4, TunnelL2TP, 0x10002, 1},
		{"L2TPv3 cookie and sublayer", raw, third(12, innerFrame()), tcp4, TunnelL2TP, 0x10002, 1},
		{"L2TPv3 PPP", raw, third(4, ppp), tcp4, TunnelL2TP, 0x10002, 1},
		{"L2TPv3 on IP", raw, on4(115, join(words(1, 2), make([]byte, 8), innerFrame())), tcp4, TunnelL2TP, 0x10002, 1},
		{"L2TPv3 on IPv6", raw, on6(115, join(words(1, 2), innerFrame())), tcp4, TunnelL2TP, 0x10002, 1},
	}
}

func TestL2TP(t *testing.T) {
	checkWrapped(t, l2tpPackets())
	for name, data := range map[string][]byte{
		"empty":                      nil,
		"control message":            join(words(0xc802, 20, 1, 0, 0, 0), make([]byte, 8)),
		"version 1":                  join(words(0x0001, 1, 2), inner4()),
		"version 2 cut":              words(0x4802, 20, 1),
		"length beyond the datagram": join(words(0x4002, 60, 1, 2, 0x0021), inner4()),
		"length less than header":    join(words(0x4002, 6, 1, 2, 0x0021), inner4()),
		"offset beyond the datagram": join(words(0x0202, 1, 2, 2000, 0x0021), inner4()),
		"link control":               words(0x0002, 1, 2, 0xff03, 0xc021, 0x0101, 4),
		"version 3 control":          join(words(0x0003, 0, 0, 0), innerFrame()),
		"version 3, no IP":           join(words(0x0003, 0, 1, 2), ether(0x0806, make([]byte, 28))),
		"version 3, misplaced":       join(words(0x0003, 0, 1, 2), make([]byte, 3), innerFrame()),
	} {
		plainUDP(t, name, 1701, onUDP(1701, data))
	}
	check(t, capture.LinkRaw, on4(115, join(make([]byte, 4), innerFrame())), EncapsulatedL2TP, "")
	check(t, capture.LinkRaw, on4(115, []byte{0, 0, 1}), EncapsulatedL2TP, "")
}
