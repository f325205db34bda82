package decode

import (
	"slices"
	"testing"

	"telltale/capture"
)

func pppoe(parts ...[]byte) []byte {
	payload := join(parts...)
	return join(words(0x1100, 0x0042, uint16(len(payload))), payload)
}

func pppPackets() []wrapped {
	eth := capture.LinkEthernet
	return []wrapped{
		{"PPPoE", eth, ether(0x8864, pppoe(words(0x0021), inner4())), tcp4, TunnelPPPoE, 0x42, 1},
		{"PPPoE IPv6, padded", eth, ether(0x8864, pppoe(words(0x0057), inner6()), make([]byte, 6)), udp6, TunnelPPPoE, 0x42, 1},
		{"PPPoE, short protocol field", eth, ether(0x8864, pppoe([]byte{0x21}, inner4())), tcp4, TunnelPPPoE, 0x42, 1},
		{"PPPoE on two VLANs", eth, ether(0x88a8, words(7, 0x8100, 9, 0x8864), pppoe(words(0x0021), inner4())), onVLAN(tcp4, "9"), TunnelPPPoE, 0x42, 1},
		{"PPPoE MPLS", eth, ether(0x8864, pppoe(words(0x0281, 0x0006, 0x4140), inner4())), tcp4, TunnelMPLS, 100, 2},
		{"PPPoE link type", 51, pppoe(words(0x0021), inner4()), tcp4, TunnelPPPoE, 0x42, 1},
		{"PPP", 9, join(words(0x0021), inner4()), tcp4, NoTunnel, 0, 0},
		{"PPP with address", 9, join(words(0xff03, 0x0057), inner6()), udp6, NoTunnel, 0, 0},
		{"PPP in HDLC", 50, join(words(0xff03, 0x0021), inner4()), tcp4, NoTunnel, 0, 0},
		{"Cisco in HDLC", 50, join(words(0x0f00, 0x0800), inner4()), tcp4, NoTunnel, 0, 0},
		{"Cisco HDLC", 104, join(words(0x0f00, 0x0800), inner4()), tcp4, NoTunnel, 0, 0},
		{"Cisco HDLC multicast", 104, join(words(0x8f00, 0x86dd), inner6()), udp6, NoTunnel, 0, 0},
		{"Cisco HDLC MPLS", 104, join(words(0x0f00, 0x8847, 0x0006, 0x4140), inner4()), tcp4, TunnelMPLS, 100, 1},
		{"PPP of pppd", 166, join(words(0x0003, 0x0021), inner4()), tcp4, NoTunnel, 0, 0},
		{"PPP with direction", 204, join([]byte{1}, words(0xff03, 0x0021), inner4()), tcp4, NoTunnel, 0, 0},
	}
}

func TestPPP(t *testing.T) {
	checkWrapped(t, pppPackets())
	wrong := slices.Clone(pppoe(words(0x0021), inner4()))
	wrong[0] = 0x12
	tests := []struct {
		name string
		link capture.LinkType
		data []byte
		want Reason
	}{
		{"other version", capture.LinkEthernet, ether(0x8864, wrong), BadHeader},
		{"discovery", capture.LinkEthernet, ether(0x8864, words(0x1109, 0, 4), make([]byte, 40)), NotIP},
		{"link control", capture.LinkEthernet, ether(0x8864, pppoe(words(0xc021, 0, 0))), NotIP},
		{"nothing in it", capture.LinkEthernet, ether(0x8864, pppoe(nil)), BadHeader},
		{"half a protocol field", capture.LinkEthernet, ether(0x8864, pppoe([]byte{0}), make([]byte, 40)), BadHeader},
		{"no header", capture.LinkEthernet, ether(0x8864, make([]byte, 5)), BadHeader},
		{"compressed", 9, words(0xff03, 0x00fd, 1), EncapsulatedPPP},
		{"encrypted", 9, words(0x0053, 1), EncapsulatedPPP},
		{"multilink", 9, words(0x003d, 1), EncapsulatedPPP},
		{"compressed header", 9, words(0x002d, 1), EncapsulatedPPP},
		{"bridged", 9, words(0x0031, 1), NotIP},
		{"Cisco keep-alive", 104, words(0x8f00, 0x8035, 0, 2), NotIP},
		{"Cisco discovery", 104, words(0x8f00, 0x2000, 0, 2), Message},
		{"Cisco header cut", 104, words(0x8f00)[:2], BadHeader},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { check(t, test.link, test.data, test.want, "") })
	}
}
