package decode

import (
	"testing"

	"telltale/capture"
)

func ipipPackets() []wrapped {
	raw := capture.LinkRaw
	return []wrapped{
		{"4in4", raw, on4(4, inner4()), tcp4, TunnelIPIP, 0, 1},
		{"6in4", raw, on4(41, inner6()), udp6, TunnelIPIP, 0, 1},
		{"4in6", raw, on6(4, inner4()), tcp4, TunnelIPIP, 0, 1},
		{"6in6", raw, on6(41, inner6()), udp6, TunnelIPIP, 0, 1},
		{"4in6 behind an option", raw, on6(60, extensionBytes(4, 0, inner4())), tcp4, TunnelIPIP, 0, 1},
		{"IP within IP", raw, on4(94, inner4()), tcp4, TunnelIPIP, 0, 1},
		{"three layers", raw, on4(41, on6(4, on4(4, inner4()))), tcp4, TunnelIPIP, 0, 3},
		{"EtherIP", raw, on4(97, join([]byte{0x30, 0}, innerVLAN())), onVLAN(tcp4, "5"), TunnelEthernet, 0, 1},
		{"SRv6 with a frame", raw, on6(43, extensionBytes(143, 2, innerFrame())), tcp4, TunnelEthernet, 0, 1},
	}
}

func TestIPIP(t *testing.T) {
	checkWrapped(t, ipipPackets())
	check(t, capture.LinkRaw, on4(4, nil), BadHeader, "")
	check(t, capture.LinkRaw, on4(4, []byte{0x55, 0, 0}), BadHeader, "")
	check(t, capture.LinkRaw, on4(97, []byte{0x30}), BadHeader, "")
	check(t, capture.LinkRaw, on4(97, join([]byte{0x40, 0}, innerFrame())), BadHeader, "")
}

// The ends of the tunnel are those of the innermost one.
func TestOuterAddresses(t *testing.T) {
	_, s := decodeOne(capture.LinkRaw, on4(41, on6(4, inner4())))
	if s.OuterSrc != near6.As16() || s.OuterDst != far6.As16() {
		t.Errorf("ends %x > %x, want those of the inner tunnel", s.OuterSrc, s.OuterDst)
	}
}
