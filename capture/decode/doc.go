// Package decode reads the headers of a captured packet, from the link layer to TCP
// or UDP, and puts fragmented IP datagrams together. What comes out is a Segment, or
// a Reason why the packet holds none.
//
// Headers are read in place and checked against both the captured and the wire
// length; nothing is allocated for a packet. Checksums are not verified, as a
// capture of the sending host has none yet; only what may be ESP without encryption
// must have a right one. The result depends on the sequence of packets alone.
//
// A link type or encapsulation is one file that registers itself: for a link type
// (Links lists them), an EtherType, an IP protocol, a GRE payload type or a UDP port.
// What a UDP port suggests is believed only if the packet inside is plausible;
// otherwise the datagram is an ordinary one. Nesting is limited.
package decode
