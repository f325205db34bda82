package decode

// Tunnel is a kind of encapsulation.
type Tunnel uint8

// Kinds of encapsulation, each with what Segment.TunnelID is.
const (
	NoTunnel       Tunnel = iota
	TunnelIPIP            // IP in IP: 4in4, 6in4, 4in6, 6in6
	TunnelGRE             // GRE, NVGRE, PPTP: the key, with PPTP its call number
	TunnelERSPAN          // mirrored frames in GRE: the session
	TunnelGENEVE          // the network identifier
	TunnelVXLAN           // the network identifier
	TunnelVXLANGPE        // VXLAN generic protocol extension: the network identifier
	TunnelPPPoE           // the session
	TunnelGTP             // GTP-U: the tunnel endpoint identifier
	TunnelMPLS            // the last label other than a reserved or an entropy label
	TunnelTeredo          // IPv6 in UDP
	TunnelL2TP            // the session, version 2 with the tunnel in the upper half
	TunnelTZSP            // mirrored frames in UDP
	TunnelCAPWAP          // frames between access point and controller
	TunnelPBB             // IEEE 802.1ah: the service identifier
	TunnelTRILL           // RFC 6325
	TunnelNSH             // network service header: service path
	TunnelEthernet        // Ethernet straight in IP: EtherIP, SRv6
	TunnelESP             // IPsec ESP without encryption: the security parameters index
	tunnelCount
)

var tunnelNames = [tunnelCount]string{
	NoTunnel:       "none",
	TunnelIPIP:     "ipip",
	TunnelGRE:      "gre",
	TunnelERSPAN:   "erspan",
	TunnelGENEVE:   "geneve",
	TunnelVXLAN:    "vxlan",
	TunnelVXLANGPE: "vxlan_gpe",
	TunnelPPPoE:    "pppoe",
	TunnelGTP:      "gtp",
	TunnelMPLS:     "mpls",
	TunnelTeredo:   "teredo",
	TunnelL2TP:     "l2tp",
	TunnelTZSP:     "tzsp",
	TunnelCAPWAP:   "capwap",
	TunnelPBB:      "pbb",
	TunnelTRILL:    "trill",
	TunnelNSH:      "nsh",
	TunnelEthernet: "ethernet",
	TunnelESP:      "esp",
}

// String returns the name of t in lower case.
func (t Tunnel) String() string {
	if t < tunnelCount {
		return tunnelNames[t]
	}
	return "unknown"
}

// maxDepth bounds the encapsulations, and tags that are no VLAN tags, of one packet.
const maxDepth = 8

// deeper counts one more header around the segment; false if there are too many.
func (s *Segment) deeper() bool {
	if s.Depth >= maxDepth {
		return false
	}
	s.Depth++
	return true
}

// enter notes that what follows is in a tunnel below IP; false if it is nested too
// deep.
func (s *Segment) enter(t Tunnel, id uint32) bool {
	if !s.deeper() {
		return false
	}
	s.Tunnel, s.TunnelID = t, id
	return true
}

// enterOnIP notes that what follows is in a tunnel whose ends are Src and Dst; false
// if it is nested too deep.
func (s *Segment) enterOnIP(t Tunnel, id uint32) bool {
	if !s.enter(t, id) {
		return false
	}
	s.OuterSrc, s.OuterDst = s.Src, s.Dst
	s.VLAN, s.SrcMAC, s.DstMAC = 0, [6]byte{}, [6]byte{}
	s.Payload, s.PayloadLen = nil, 0
	return true
}
