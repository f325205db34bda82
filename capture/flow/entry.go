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
	transport   uint8
	client      uint8 // the side that is the client, as far as is known
	flags       uint16
	app         capture.Proto
	outcome     capture.Outcome
	quic        uint32 // QUIC collector + 1
	dcid        uint32 // digest of the connection id whose hello is known
	used        bool
}

// half is what is known of one direction of a TCP flow.
type half struct {
	next   uint32 // next sequence number wanted; valid iff synced
	buf    uint32 // assembly buffer + 1
	synced bool
	told   bool // a message of this direction was understood
	shut   bool // nothing further is wanted of this direction
	known  bool // the numbers below are valid
	whole  bool // first is the first of the stream

	first uint32 // sequence number of the first byte seen
	reach uint32 // sequence number behind the last byte seen, or acknowledged
	acked uint32 // the highest acknowledged
	hole  uint32 // bytes acknowledged and not seen
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
	o.ClientMAC, o.VLAN = e.mac[c], e.vlan
	f := o.End
	f.Start = e.start
	f.BytesOut, f.BytesIn = e.bytes[c], e.bytes[s]
	f.PacketsOut, f.PacketsIn = e.packets[c], e.packets[s]
	f.App, f.Outcome, f.Unnamed = e.app, e.outcome, e.unnamed()
	f.OneSided = e.packets[c] == 0 || e.packets[s] == 0
}

func addrPort(a *[16]byte, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(*a).Unmap(), port)
}
