package decode

import "telltale/capture"

// Segment is one TCP segment or UDP datagram, or one message of a protocol without
// ports, with what is needed of the headers below it. One Segment is reused for all
// packets.
type Segment struct {
	// Payload is the captured transport payload, without link-layer padding. It may
	// be shorter than PayloadLen (snap length).
	Payload []byte
	Time    int64  // packet time, nanoseconds since 1970-01-01 UTC
	Packet  uint64 // ordinal of the packet, of the last one where it was fragmented

	// Src and Dst are the innermost addresses; IPv4 in its mapped form ::ffff:a.b.c.d.
	Src, Dst         [16]byte
	SrcPort, DstPort uint16

	Seq, Ack uint32 // TCP only
	// ID is the identification of the IP packet (RFC 791 §3.1), or of the fragments it
	// was put together from; 0 in IPv6 without fragments.
	ID         uint32
	PayloadLen uint32 // bytes of payload on the wire, from the IP or UDP length
	Protocol   uint8  // IANA protocol number: 6 TCP, 17 UDP
	Flags      uint8  // TCP flags, low eight bits (FIN is bit 0)
	IPv6       bool
	Hops       uint8 // time to live or hop limit of the innermost IP packet
	// Message is the protocol of the Payload where it lies straight in a frame or in
	// ICMPv6: the result of Decode is the Reason Message then.
	Message capture.Proto
	// Reassembled says that Payload was put together from fragments and does not lie
	// in the packet's own bytes.
	Reassembled bool

	// VLAN and the MACs belong to the innermost Ethernet frame. IP straight inside IP
	// (GRE, IPIP, GTP-U ...) has none: those outside are of the tunnel's ends.
	VLAN           uint16  // innermost VLAN id, 0 if untagged
	SrcMAC, DstMAC [6]byte // zero where the link type has none

	Tunnel   Tunnel // kind of the innermost encapsulation
	Depth    uint8  // encapsulations and tags other than VLAN around the segment
	TunnelID uint32 // number of that tunnel, see Tunnel; 0 if its header has none
	// OuterSrc and OuterDst are the addresses of the IP packet that the innermost
	// encapsulation on IP lies in, zero if there is none. They are the ends of the
	// tunnel, in the form of Src and Dst.
	OuterSrc, OuterDst [16]byte
}

// TCP flags of Segment.Flags (RFC 9293 §3.1).
const (
	FIN = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
)
