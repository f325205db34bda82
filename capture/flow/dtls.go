package flow

import (
	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/proto"
)

// dtls takes a datagram that begins with a piece of a DTLS ClientHello.
func (t *table) dtls(e *entry, side int, s *decode.Segment, log *capture.Log) {
	if e.has(flagOriented) && side != int(e.client) {
		return
	}
	fresh := e.dtls == 0
	if fresh {
		if e.dtls = t.dtlsHellos.get(); e.dtls == 0 {
			t.stats.QUICFull++
			e.set(flagPartial)
			return
		}
	}
	mark := log.Len()
	c := t.dtlsHellos.at(e.dtls)
	switch c.Datagram(s.Payload, log) {
	case proto.Done:
		e.orient(side)
		e.app = capture.ProtoDTLS
		t.hello(e, c.Random(), s, log, mark)
	case proto.Incomplete:
		e.orient(side)
		e.app = capture.ProtoDTLS
		return
	default:
		log.Truncate(mark)
		if !fresh {
			return
		}
	}
	t.dtlsHellos.put(e.dtls)
	e.dtls = 0
}

// settleDTLS reads what can be read of a hello that will not be completed.
func (t *table) settleDTLS(e *entry, order uint64, log *capture.Log) {
	if e.dtls == 0 {
		return
	}
	t.broken(e, t.dtlsHellos.at(e.dtls), order, log)
	t.dtlsHellos.put(e.dtls)
	e.dtls = 0
}

// partial is a hello of which a part was read.
type partial interface {
	Flush(log *capture.Log) bool
	Random() uint32
}

// broken reads what can be read of p as its flow ends.
func (t *table) broken(e *entry, p partial, order uint64, log *capture.Log) {
	mark := log.Len()
	if p.Flush(log) {
		t.flushed(e, p.Random(), order, log, mark)
		return
	}
	log.Truncate(mark)
	e.set(flagPartial)
}

// flushed is hello for one that is read as its flow ends, at the given order.
func (t *table) flushed(e *entry, random uint32, order uint64, log *capture.Log, mark int) {
	s := e.segment(int(e.client))
	t.hello(e, random, &s, log, mark)
	for i := mark; i < log.Len(); i++ {
		log.At(i).Order = order
	}
}

// denied notes a fatal alert of the server and says whether s is one.
func (e *entry) denied(s *decode.Segment) bool {
	if e.app != capture.ProtoDTLS || e.outcome >= capture.Exchanged || !proto.IsDTLSDenial(s.Payload) {
		return false
	}
	e.outcome = capture.Refused
	return true
}
