package decode

import (
	"testing"

	"telltale/capture"
)

func teredoPackets() []wrapped {
	raw := capture.LinkRaw
	authentication := join([]byte{0, 1, 3, 2}, make([]byte, 3+2+8+1))
	origin := []byte{0, 0, 1, 2, 3, 4, 5, 6}
	return []wrapped{
		{"Teredo", raw, onUDP(3544, inner6()), udp6, TunnelTeredo, 0, 1},
		{"Teredo origin", raw, onUDP(3544, origin, inner6()), udp6, TunnelTeredo, 0, 1},
		{"Teredo authentication", raw, onUDP(3544, authentication, origin, inner6()), udp6, TunnelTeredo, 0, 1},
	}
}

func TestTeredo(t *testing.T) {
	checkWrapped(t, teredoPackets())
	for name, data := range map[string][]byte{
		"empty":                      nil,
		"IPv4":                       inner4(),
		"more than the packet":       join(inner6(), []byte{0}),
		"less than the packet":       inner6()[:49],
		"authentication beyond":      join([]byte{0, 1, 200, 200}, inner6()),
		"authentication and no room": {0, 1, 0, 0, 0, 0, 0},
	} {
		plainUDP(t, name, 3544, onUDP(3544, data))
	}
	answer := put(put(onUDP(3544, inner6()), 20, 3544), 22, near)
	if _, s := decodeOne(capture.LinkRaw, answer); s.Tunnel != TunnelTeredo || summary(&s) != udp6 {
		t.Errorf("an answer: %s in %v", summary(&s), s.Tunnel)
	}
}
