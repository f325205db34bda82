package decode

// Reason is the outcome of decoding one packet: OK, or why there is no Segment.
type Reason uint8

// Reasons. Encapsulated ones carry an IP packet that is not unwrapped.
const (
	OK                   Reason = iota // the Segment is a TCP segment or UDP datagram
	Empty                              // no captured bytes, or IPv6 headers with nothing behind them
	UnknownLink                        // a link type this package does not read
	UnknownEthertype                   // an EtherType it does not know
	NotIP                              // ARP, LLDP, EAPOL, spanning tree and the like
	Truncated                          // the captured bytes end inside a header that is needed
	BadHeader                          // lengths or versions contradict each other, or too many headers
	FragmentHeld                       // a fragment, stored until the rest comes
	FragmentDropped                    // a fragment that is a duplicate, malformed, cut or has no room
	ICMP                               // ICMP or ICMPv6 other than Unreachable
	Unreachable                        // ICMP destination unreachable; the Segment names the refused flow
	OtherTransport                     // SCTP, IGMP, OSPF ...
	EncapsulatedIPIP                   // IP in IP: 4in4, 6in4, 4in6, 6in6
	EncapsulatedGRE                    // GRE, also NVGRE and ERSPAN
	EncapsulatedESP                    // IPsec ESP
	EncapsulatedIPComp                 // IP payload compression
	EncapsulatedL2TP                   // L2TPv3 on IP
	EncapsulatedEthernet               // Ethernet on IP: EtherIP, SRv6
	EncapsulatedMPLS                   // MPLS labels
	EncapsulatedPPPoE                  // PPPoE session
	EncapsulatedMACsec                 // IEEE 802.1AE
	EncapsulatedNSH                    // network service header
	EncapsulatedPBB                    // IEEE 802.1ah
	EncapsulatedTRILL                  // TRILL
	EncapsulatedVNTag                  // VN-Tag, IEEE 802.1BR E-Tag

	// ReasonCount is the number of Reasons, for tables indexed by them.
	ReasonCount
)

var reasonNames = [ReasonCount]string{
	OK:                   "ok",
	Empty:                "empty",
	UnknownLink:          "unknown_link",
	UnknownEthertype:     "unknown_ethertype",
	NotIP:                "not_ip",
	Truncated:            "truncated",
	BadHeader:            "bad_header",
	FragmentHeld:         "fragment_held",
	FragmentDropped:      "fragment_dropped",
	ICMP:                 "icmp",
	Unreachable:          "unreachable",
	OtherTransport:       "other_transport",
	EncapsulatedIPIP:     "encapsulated_ipip",
	EncapsulatedGRE:      "encapsulated_gre",
	EncapsulatedESP:      "encapsulated_esp",
	EncapsulatedIPComp:   "encapsulated_ipcomp",
	EncapsulatedL2TP:     "encapsulated_l2tp",
	EncapsulatedEthernet: "encapsulated_ethernet",
	EncapsulatedMPLS:     "encapsulated_mpls",
	EncapsulatedPPPoE:    "encapsulated_pppoe",
	EncapsulatedMACsec:   "encapsulated_macsec",
	EncapsulatedNSH:      "encapsulated_nsh",
	EncapsulatedPBB:      "encapsulated_pbb",
	EncapsulatedTRILL:    "encapsulated_trill",
	EncapsulatedVNTag:    "encapsulated_vntag",
}

// String returns the word used in the coverage report.
func (r Reason) String() string {
	if r < ReasonCount {
		return reasonNames[r]
	}
	return "unknown"
}
