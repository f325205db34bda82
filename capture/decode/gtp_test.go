package decode

import (
	"testing"

	"telltale/capture"
)

func gtp(flags uint8, parts ...[]byte) []byte {
	payload := join(parts...)
	return join([]byte{flags, 255}, words(uint16(len(payload)), 0x0102, 0x0304), payload)
}

func gtpPackets() []wrapped {
	raw := capture.LinkRaw
	container := []byte{1, 0x10, 9, 0}                             // a PDU session container, the last
	containers := []byte{1, 0x10, 9, 0x85, 2, 0, 0, 0, 0, 0, 0, 0} // two extension headers
	return []wrapped{
		{"GTP-U", raw, onUDP(2152, gtp(0x30, inner4())), tcp4, TunnelGTP, 0x01020304, 1},
		{"GTP-U IPv6", raw, onUDP(2152, gtp(0x30, inner6())), udp6, TunnelGTP, 0x01020304, 1},
		{"GTP-U sequence number", raw, onUDP(2152, gtp(0x32, words(1, 0), inner4())), tcp4, TunnelGTP, 0x01020304, 1},
		{"GTP-U extension header", raw, onUDP(2152, gtp(0x34, words(0, 0x0085), container, inner4())), tcp4, TunnelGTP, 0x01020304, 1},
		{"GTP-U two extension headers", raw, onUDP(2152, gtp(0x36, words(0, 0x0085), containers, inner4())), tcp4, TunnelGTP, 0x01020304, 1},
		{"GTP-U, extension field unused", raw, onUDP(2152, gtp(0x32, words(1, 0x0085), inner4())), tcp4, TunnelGTP, 0x01020304, 1},
		{"GTP-U, padded", raw, onUDP(2152, gtp(0x30, inner4()), make([]byte, 4)), tcp4, TunnelGTP, 0x01020304, 1},
	}
}

func TestGTP(t *testing.T) {
	checkWrapped(t, gtpPackets())
	echo := gtp(0x32, words(1, 0))
	echo[1] = 1
	long := gtp(0x30, inner4())
	put(long, 2, 200)
	loop := []byte{1, 0, 0, 0x85}
	for name, data := range map[string][]byte{
		"empty":                      nil,
		"echo request":               echo,
		"GTP prime":                  gtp(0x20, inner4()),
		"version 2":                  gtp(0x50, inner4()),
		"length beyond the datagram": long,
		"no IP":                      gtp(0x30, make([]byte, 40)),
		"IP beyond the message":      gtp(0x30, put(inner4(), 2, 44)),
		"extension of length 0":      gtp(0x34, words(0, 0x0085, 0, 0), inner4()),
		"extension beyond the end":   gtp(0x34, words(0, 0x0085, 0xff00, 0), inner4()),
		"too many extensions":        gtp(0x34, words(0, 0x0085), loop, loop, loop, loop, loop, loop, loop, loop, []byte{1, 0, 0, 0}, inner4()),
		"no room for options":        gtp(0x34, []byte{0, 0}),
	} {
		plainUDP(t, name, 2152, onUDP(2152, data))
	}
}
