package flow

import (
	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/proto"
)

// udp follows one UDP datagram. Messages of a registered datagram protocol are read
// at once and make no flow; all else is a flow, and QUIC where it looks like it.
func (t *table) udp(s *decode.Segment, hash uint64, log *capture.Log) {
	if len(s.Payload) > 0 && t.datagram(s, log) {
		return
	}
	e, side := t.find(s, hash)
	if e == nil {
		e, side = t.insert(s, hash, log), 0
	} else if t.stale(e, s) {
		t.finish(e, s.Packet, log)
		e.begin(s)
		side = 0
		t.stats.Flows++
	}
	e.count(side, s)
	if proto.IsQUICLong(s.Payload) {
		t.long(e, side, s, log)
	}
	if side != int(e.client) && s.PayloadLen > 0 && !e.has(flagOpenTold) {
		t.exchanged(e, s, log)
	}
}

// datagram reads s as one of the registered protocols.
func (t *table) datagram(s *decode.Segment, log *capture.Log) bool {
	cut := uint32(len(s.Payload)) < s.PayloadLen
	for i := range t.reg.datagrams {
		p := &t.reg.datagrams[i]
		if !p.Match(s.SrcPort, s.DstPort, s.Payload) {
			continue
		}
		mark := log.Len()
		if err := p.Parse(s.Payload, cut, log); err == nil {
			t.stamp(nil, s, log, mark)
			return true
		}
		log.Truncate(mark)
		t.stats.Rejected++
	}
	return false
}
