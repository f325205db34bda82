package flow

import (
	"net/netip"

	"telltale/capture"
)

// entry is one flow. Side 0 sent the first packet that was seen.
type entry struct {
	addr [2][16]byte
	hash uint64
	id   uint64 // ordinal of the first packet
	last uint64 // ordinal of the latest
	// start and seen are the times of those two.
	start, seen int64
	bytes       [2]uint64
	packets     [2]uint64
	half        [2]half
	port        [2]uint16
	mac         [2][6]byte
	vlan        uint16
	flags       uint16
	transport   uint8
	client      uint8 // the side that is the client, as far as is known
	app         capture.Proto
	outcome     capture.Outcome
	sealed      uint8 // Initials that did not open
	used        bool
	quic        uint32 // QUIC collector + 1
	dtls        uint32 // DTLS collector + 1
	hello       uint32 // digest of the random of the hello reported last
	dcid        uint32 // digest of the connection id whose hello is known
	origin      uint32 // client told by a PROXY header + 1
	tunnel      uint32 // what tunnels.keep returned
	n           uint32 // the number of the flow in its table
}

// Flags of an entry.
const (
	flagSYN      = 1 << iota // the handshake's first packet was seen: the client is certain
	flagFIN0                 // side 0 closed
	flagFIN1                 // side 1 closed
	flagRST                  // the flow was reset
	flagNamed                // a request carried a name
	flagNoSNI                // a hello without a name was seen
	flagSealed               // QUIC that does not open
	flagPartial              // a message was begun and given up
	flagGap                  // ... because bytes were missing
	flagOriented             // a request's content told who is the client
	flagOpenTold             // the first exchange was reported
	flagConflict             // segments that overlap differ
	flagAgain                // the next hello repeats the one that is known
	flagRead                 // one of the readers reads a direction
	flagAsked                // a proxy was asked for a connection and has not granted it
)

func (e *entry) set(flag uint16)      { e.flags |= flag }
func (e *entry) has(flag uint16) bool { return e.flags&flag != 0 }
func (e *entry) closed() bool {
	return e.has(flagRST) || e.flags&(flagFIN0|flagFIN1) == flagFIN0|flagFIN1
}

// orient notes that side sent a request. A seen SYN outranks what content says.
func (e *entry) orient(side int) {
	if e.flags&(flagSYN|flagOriented) == 0 {
		e.client = uint8(side)
		e.set(flagOriented)
	}
}

// unnamed says why the flow has no name of its own.
func (e *entry) unnamed() capture.Unnamed {
	c := e.client
	switch {
	case e.has(flagNamed):
		return capture.Named
	case e.packets[c] == 0:
		return capture.ServerOnly
	case e.bytes[c] == 0:
		return capture.NoPayload
	case e.has(flagNoSNI):
		return capture.NoSNI
	case e.has(flagGap):
		return capture.Gap
	case e.has(flagPartial):
		return capture.Incomplete
	case e.has(flagSealed):
		return capture.Undecrypted
	case e.transport == protoTCP && !e.has(flagSYN):
		return capture.Midstream
	}
	return capture.Opaque
}

// describe fills o with the flow's endpoints as they stand.
func (e *entry) describe(o *capture.Observation) {
	c, s := e.client, 1-e.client
	o.Flow, o.Packet, o.Time = e.id, e.last, e.seen
	o.Transport = e.transport
	o.Client = addrPort(&e.addr[c], e.port[c])
	o.Server = addrPort(&e.addr[s], e.port[s])
	o.ClientMAC, o.ServerMAC, o.VLAN = e.mac[c], e.mac[s], e.vlan
	f := o.End
	f.Start = e.start
	f.BytesOut, f.BytesIn = e.bytes[c], e.bytes[s]
	f.PacketsOut, f.PacketsIn = e.packets[c], e.packets[s]
	f.App, f.Outcome, f.Unnamed = e.app, e.outcome, e.unnamed()
	f.OneSided = e.packets[c] == 0 || e.packets[s] == 0
	f.Conflict = e.has(flagConflict)
}

func addrPort(a *[16]byte, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(*a).Unmap(), port)
}
