package flow

import (
	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/proto"
)

// udp follows one UDP datagram. Messages of a registered datagram protocol are read
// at once and make no flow; all else is a flow, and QUIC or DTLS where it looks like it.
func (t *table) udp(s *decode.Segment, hash uint64, log *capture.Log) {
	if len(s.Payload) > 0 && t.datagram(s, log) {
		return
	}
	e, side := t.find(s, hash)
	if e == nil {
		e, side = t.insert(s, hash, log), 0
	} else if t.stale(e, s) {
		t.finish(e, s.Packet, log)
		t.begin(e, s)
		side = 0
		t.stats.Flows++
	}
	e.count(side, s)
	switch {
	case proto.IsQUICLong(s.Payload):
		t.long(e, side, s, log)
	case proto.IsDTLSHello(s.Payload):
		t.dtls(e, side, s, log)
	case proto.IsQUICNegotiation(s.Payload):
		e.negotiated()
	}
	if side != int(e.client) && s.PayloadLen > 0 && !e.has(flagOpenTold) && !e.denied(s) {
		t.exchanged(e, s, log)
	}
}

// datagram reads s as one of the registered protocols.
func (t *table) datagram(s *decode.Segment, log *capture.Log) bool {
	cut := uint32(len(s.Payload)) < s.PayloadLen
	list := t.reg.datagramsOf(s.SrcPort, s.DstPort)
	for i := range list {
		p := &list[i]
		if !between(p, s.SrcPort, s.DstPort) || !p.Match(s.SrcPort, s.DstPort, s.Payload) {
			continue
		}
		mark := log.Len()
		if err := p.Parse(s.Payload, cut, log); err == nil {
			t.stamp(nil, s, log, mark)
			if p.Server != 0 && s.SrcPort == p.Server {
				turn(log, mark)
			}
			t.identities.drop(log, mark)
			return true
		}
		log.Truncate(mark)
		t.stats.Rejected++
	}
	return false
}
