package flow

import (
	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/proto"
)

// collectors is the bounded pool of QUIC hello collectors of one shard.
type collectors struct {
	limit int
	all   []*proto.QUICClient
	free  []uint32
}

// get returns a collector's number + 1, 0 if all are in use.
func (c *collectors) get() uint32 {
	if k := len(c.free); k > 0 {
		n := c.free[k-1]
		c.free = c.free[:k-1]
		c.all[n].Reset()
		return n + 1
	}
	if len(c.all) >= c.limit {
		return 0
	}
	c.all = append(c.all, new(proto.QUICClient))
	return uint32(len(c.all))
}

func (c *collectors) put(n uint32) { c.free = append(c.free, n-1) }

// digest is FNV-1a over a connection id: it only tells a repeated Initial from
// another connection's.
func digest(id []byte) uint32 {
	h := uint32(2166136261)
	for _, b := range id {
		h = (h ^ uint32(b)) * 16777619
	}
	return h
}

// long takes a datagram that begins with a QUIC long header.
func (t *table) long(e *entry, side int, s *decode.Segment, log *capture.Log) {
	_, dcid, ok := proto.QUICInitialID(s.Payload)
	if !ok || e.flags&flagOriented != 0 && side != int(e.client) {
		return
	}
	id := digest(dcid)
	if e.app == capture.ProtoQUIC && e.quic == 0 && id == e.dcid {
		return // the hello of this connection is known
	}
	fresh := e.quic == 0
	if fresh {
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
	switch t.quic.all[e.quic-1].Datagram(s.Payload, log) {
	case proto.QUICHello:
		e.orient(side)
		e.app = capture.ProtoQUIC
		if fresh {
			e.dcid = id
		}
		for i := mark; i < log.Len(); i++ {
			t.learn(e, log.At(i))
		}
		t.stamp(e, s, log, mark)
		t.quic.put(e.quic)
		e.quic = 0
	case proto.QUICMore:
		e.orient(side)
		e.app = capture.ProtoQUIC
		if fresh {
			e.dcid = id
		}
	default:
		log.Truncate(mark)
		if !fresh {
			return // a server's Initial, or damage, between those of the client
		}
		t.quic.put(e.quic)
		e.quic = 0
		if e.app != capture.ProtoQUIC {
			e.set(flagSealed)
		}
	}
}

// settleQUIC reads what can be read of a hello that will not be completed.
func (t *table) settleQUIC(e *entry, order uint64, log *capture.Log) {
	if e.quic == 0 {
		return
	}
	mark := log.Len()
	s := e.segment(int(e.client))
	if t.quic.all[e.quic-1].Flush(log) {
		for i := mark; i < log.Len(); i++ {
			t.learn(e, log.At(i))
		}
		t.stamp(e, &s, log, mark)
		for i := mark; i < log.Len(); i++ {
			log.At(i).Order = order
		}
	} else {
		log.Truncate(mark)
		e.set(flagPartial)
	}
	t.quic.put(e.quic)
	e.quic = 0
}
