package decode

import (
	"slices"
	"strings"
	"testing"

	"telltale/capture"
)

func TestUDPTunnels(t *testing.T) {
	want := []Tunnel{
		TunnelGENEVE, TunnelVXLAN, TunnelVXLANGPE, TunnelGTP, TunnelMPLS, TunnelTeredo,
		TunnelL2TP, TunnelTZSP, TunnelCAPWAP, TunnelESP,
	}
	if got := UDPTunnels(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A port can be added, and one that is registered can be told to mean another.
func TestConfiguredPorts(t *testing.T) {
	vxlan := join(words(0x0800, 0, 0, 0x0700), innerFrame())
	d := New(Config{UDPPorts: []UDPPort{{Port: 4444, Tunnel: TunnelVXLAN}, {Port: 2152, Tunnel: TunnelVXLAN}}})
	for _, port := range []uint16{4444, 2152, 4789} {
		var s Segment
		if r := d.Decode(packet(capture.LinkRaw, onUDP(port, vxlan)), &s); r != OK || s.Tunnel != TunnelVXLAN || summary(&s) != tcp4 {
			t.Errorf("port %d: %v %s in %v", port, r, summary(&s), s.Tunnel)
		}
	}
	plainUDP(t, "another decoder", 4444, onUDP(4444, vxlan))
}

// Most encapsulations are told by the port they go to, not by the one they come from.
func TestSourcePort(t *testing.T) {
	back := put(put(onUDP(4789, words(0x0800, 0, 0, 0x0700), innerFrame()), 20, 4789), 22, near)
	if r, s := decodeOne(capture.LinkRaw, back); r != OK || s.Tunnel != NoTunnel || s.DstPort != near {
		t.Errorf("from the port of VXLAN: %v %s in %v", r, summary(&s), s.Tunnel)
	}
}

func TestConfiguredPortsAreChecked(t *testing.T) {
	for name, ports := range map[string][]UDPPort{
		"no port":         {{Tunnel: TunnelVXLAN}},
		"no tunnel":       {{Port: 4444}},
		"tunnel on IP":    {{Port: 4444, Tunnel: TunnelERSPAN}},
		"unknown tunnel":  {{Port: 4444, Tunnel: tunnelCount}},
		"too many to add": slices.Repeat([]UDPPort{{Port: 4444, Tunnel: TunnelVXLAN}}, maxUDPPorts+1),
	} {
		if err := (Config{UDPPorts: ports}).Validate(); err == nil || !strings.Contains(err.Error(), "UDP port") {
			t.Errorf("%s: %v", name, err)
		}
		New(Config{UDPPorts: ports})
	}
	if err := (Config{UDPPorts: []UDPPort{{Port: 4444, Tunnel: TunnelVXLAN}}}).Validate(); err != nil {
		t.Error(err)
	}
}
