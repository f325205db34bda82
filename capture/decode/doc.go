// Package decode reads the headers of a captured packet, from the link layer to TCP
// or UDP, and puts fragmented IP datagrams together. What comes out is a Segment, or
// a Reason why the packet holds none.
//
// Headers are read in place and checked against both the captured and the wire
// length; nothing is allocated for a packet. Checksums are never verified: a
// capture of the sending host has none yet. The result depends on the sequence of
// packets alone.
//
// A link type is one file that ends in a registerLink call; Links lists them.
package decode
