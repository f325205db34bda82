package flow

import (
	"telltale/capture"
	"telltale/capture/decode"
)

// tcp follows one TCP segment.
func (t *table) tcp(s *decode.Segment, hash uint64, log *capture.Log) {
	e, side := t.find(s, hash)
	if e == nil {
		if s.Flags&decode.RST != 0 || s.Flags&decode.FIN != 0 && s.PayloadLen == 0 {
			return // the tail of a flow that is over
		}
		e, side = t.insert(s, hash, log), 0
	} else if t.begun(e, side, s) {
		t.finish(e, s.Packet, log)
		t.begin(e, s)
		side = 0
		t.stats.Flows++
	}
	e.count(side, s)
	t.spanned(e, side, s)
	t.heard(e, side, s)
	if s.Flags&decode.SYN != 0 {
		e.syn(side, s)
	}
	if s.PayloadLen > 0 {
		t.payload(e, side, s, log)
	}
	if s.Flags&(decode.FIN|decode.RST) != 0 {
		t.close(e, side, s, log)
	}
}

// begun says whether s begins another flow than e.
func (t *table) begun(e *entry, side int, s *decode.Segment) bool {
	if s.Flags&(decode.SYN|decode.ACK) == decode.SYN {
		return e.restarts(side, s) || t.stale(e, s)
	}
	return s.Flags&(decode.FIN|decode.RST) == 0 && t.stale(e, s)
}

// restarts says whether a SYN begins another flow on e's addresses and ports, rather
// than repeating the one that began e.
func (e *entry) restarts(side int, s *decode.Segment) bool {
	h := &e.half[side]
	return e.closed() || !e.has(flagSYN) || int(e.client) != side || h.synced && e.bytes[side]+e.bytes[1-side] > 0 && h.next != s.Seq+1
}

func (e *entry) count(side int, s *decode.Segment) {
	e.packets[side]++
	e.bytes[side] += uint64(s.PayloadLen)
	e.last, e.seen = s.Packet, s.Time
}

// syn notes where a direction's bytes begin, and who is the client.
func (e *entry) syn(side int, s *decode.Segment) {
	h := &e.half[side]
	if h.buf == 0 && e.bytes[side] == uint64(s.PayloadLen) {
		h.start(s.Seq + 1)
	}
	if s.Flags&decode.ACK == 0 {
		e.client = uint8(side)
		e.set(flagSYN)
		return
	}
	e.client = uint8(1 - side)
	e.set(flagSYN)
	if c := &e.half[1-side]; !c.synced && s.Flags&decode.ACK != 0 {
		c.start(s.Ack) // the client's SYN was not seen
	}
	e.outcome = max(e.outcome, capture.Accepted)
}

// close notes the end of a direction or of the flow and settles what was begun.
func (t *table) close(e *entry, side int, s *decode.Segment, log *capture.Log) {
	if s.Flags&decode.RST != 0 {
		e.set(flagRST)
		if side != int(e.client) && e.outcome == capture.Attempted {
			e.outcome = capture.Refused
		}
		t.settle(e, 0, s.Packet, log)
		t.settle(e, 1, s.Packet, log)
		return
	}
	e.set([2]uint16{flagFIN0, flagFIN1}[side])
	if h := &e.half[side]; h.buf != 0 && len(t.buffers.at(h.buf).spans) == 0 {
		t.settle(e, side, s.Packet, log)
	}
}

// exchanged notes that the server sent data, and reports it the first time.
func (t *table) exchanged(e *entry, s *decode.Segment, log *capture.Log) {
	e.outcome = capture.Exchanged
	if e.has(flagOpenTold) {
		return
	}
	e.set(flagOpenTold)
	o := log.Add(capture.ProtoFlow, capture.FlowOpen)
	t.describe(e, o)
	t.totals(e, o.End)
	o.Order = s.Packet
	t.tunnels.tell(o, e.tunnel, log)
}

// unreachable notes an ICMP error for the flow that s quotes.
func (t *table) unreachable(s *decode.Segment, hash uint64) {
	e, _ := t.find(s, hash)
	if e != nil && e.outcome == capture.Attempted {
		e.outcome = capture.Refused
	}
}
