package decode

// Reason is the outcome of decoding one packet: OK, or why there is no Segment.
type Reason uint8

// Reasons. Encapsulated ones carry packets that cannot be read.
const (
	OK                 Reason = iota // the Segment is a TCP segment or UDP datagram
	Empty                            // no captured bytes, or IPv6 headers with nothing behind them
	UnknownLink                      // a link type this package does not read
	UnknownEthertype                 // an EtherType it does not know
	NotIP                            // EAPOL, spanning tree and the like
	Truncated                        // the captured bytes end inside a header that is needed
	BadHeader                        // lengths or versions contradict each other, or too many headers
	FragmentHeld                     // a fragment, stored until the rest comes
	FragmentDropped                  // a fragment that is a duplicate, malformed, cut or has no room
	ICMP                             // ICMP or ICMPv6 other than Unreachable and Message
	Unreachable                      // ICMP destination unreachable; the Segment names the refused flow
	OtherTransport                   // SCTP, IGMP, OSPF ...
	EncapsulatedGRE                  // GRE with a payload that is neither IP nor a frame
	EncapsulatedESP                  // IPsec ESP, encrypted
	EncapsulatedIPComp               // IP payload compression
	EncapsulatedL2TP                 // L2TPv3 on IP: control messages, other than frames with IP
	EncapsulatedMPLS                 // MPLS with a payload that is neither IP nor Ethernet
	EncapsulatedPPP                  // PPP with compression, encryption or multilink
	EncapsulatedMACsec               // IEEE 802.1AE, encrypted
	EncapsulatedNSH                  // network service header with an unknown payload
	EncapsulatedWLAN                 // IEEE 802.11, encrypted
	Duplicate                        // a copy of a packet that was seen within Config.Dedup
	Message                          // a message of ARP, LLDP, CDP or neighbour discovery; Segment.Message names it

	// ReasonCount is the number of Reasons, for tables indexed by them.
	ReasonCount
)

var reasonNames = [ReasonCount]string{
	OK:                 "ok",
	Empty:              "empty",
	UnknownLink:        "unknown_link",
	UnknownEthertype:   "unknown_ethertype",
	NotIP:              "not_ip",
	Truncated:          "truncated",
	BadHeader:          "bad_header",
	FragmentHeld:       "fragment_held",
	FragmentDropped:    "fragment_dropped",
	ICMP:               "icmp",
	Unreachable:        "unreachable",
	OtherTransport:     "other_transport",
	EncapsulatedGRE:    "encapsulated_gre",
	EncapsulatedESP:    "encapsulated_esp",
	EncapsulatedIPComp: "encapsulated_ipcomp",
	EncapsulatedL2TP:   "encapsulated_l2tp",
	EncapsulatedMPLS:   "encapsulated_mpls",
	EncapsulatedPPP:    "encapsulated_ppp",
	EncapsulatedMACsec: "encapsulated_macsec",
	EncapsulatedNSH:    "encapsulated_nsh",
	EncapsulatedWLAN:   "encapsulated_wlan",
	Duplicate:          "duplicate",
	Message:            "message",
}

// String returns the word used in the coverage report.
func (r Reason) String() string {
	if r < ReasonCount {
		return reasonNames[r]
	}
	return "unknown"
}
