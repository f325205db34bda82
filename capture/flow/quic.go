package flow

import (
	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/proto"
)

// digest is FNV-1a over a connection id: it only tells a repeated Initial from
// another connection's.
func digest(id []byte) uint32 {
	h := uint32(2166136261)
	for _, b := range id {
		h = (h ^ uint32(b)) * 16777619
	}
	return h
}

// maxSealed bounds the Initials of a flow that are tried without success: more of them
// are no hello in the making, and each costs the derivation of keys.
const maxSealed = 16

// long takes a datagram that begins with a QUIC long header.
func (t *table) long(e *entry, side int, s *decode.Segment, log *capture.Log) {
	_, dcid, ok := proto.QUICInitialID(s.Payload)
	if !ok || e.has(flagOriented) && side != int(e.client) {
		return
	}
	id := digest(dcid)
	if e.app == capture.ProtoQUIC && e.quic == 0 && id == e.dcid {
		return // the hello of this connection is known
	}
	fresh := e.quic == 0
	if fresh {
		if e.sealed >= maxSealed {
			return
		}
		if e.quic = t.quic.get(); e.quic == 0 {
			t.stats.QUICFull++
			e.set(flagPartial)
			return
		}
	}
	t.initial(e, side, id, fresh, s, log)
}

// initial feeds the datagram to the flow's collector.
func (t *table) initial(e *entry, side int, id uint32, fresh bool, s *decode.Segment, log *capture.Log) {
	mark := log.Len()
	c := t.quic.at(e.quic)
	status := c.Datagram(s.Payload, log)
	if status == proto.QUICHello || status == proto.QUICMore {
		e.orient(side)
		e.app, e.sealed = capture.ProtoQUIC, 0
		if fresh {
			e.dcid = id
		}
	}
	switch status {
	case proto.QUICMore:
		return
	case proto.QUICHello:
		e.dcid = id
		t.hello(e, c.Random(), s, log, mark)
	default:
		log.Truncate(mark)
		if !fresh {
			return // a server's Initial, or damage, between those of the client
		}
		e.sealed++
		if e.app != capture.ProtoQUIC {
			e.set(flagSealed)
		}
	}
	t.quic.put(e.quic)
	e.quic = 0
}

// negotiated notes that the server refused the client's version: what was read so far is
// QUIC, and the next hello repeats the one that is known, with another random.
func (e *entry) negotiated() {
	switch {
	case e.app == capture.ProtoNone:
		e.app = capture.ProtoQUIC
		e.set(flagSealed) // until a hello opens
	case e.app == capture.ProtoQUIC && e.flags&(flagNamed|flagNoSNI) != 0:
		e.set(flagAgain)
	}
}

// settleQUIC reads what can be read of a hello that will not be completed.
func (t *table) settleQUIC(e *entry, order uint64, log *capture.Log) {
	if e.quic == 0 {
		return
	}
	t.broken(e, t.quic.at(e.quic), order, log)
	t.quic.put(e.quic)
	e.quic = 0
}
