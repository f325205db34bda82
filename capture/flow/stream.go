package flow

import (
	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/proto"
)

// payload looks for messages in the bytes of one TCP segment.
func (t *table) payload(e *entry, side int, s *decode.Segment, log *capture.Log) {
	h := &e.half[side]
	if h.shut {
		t.answered(e, side, s, log)
		return
	}
	seq, b := s.Seq, s.Payload
	if s.Flags&decode.SYN != 0 {
		seq++
	}
	switch {
	case h.buf != 0:
		t.collect(e, side, seq, s, log)
	case len(b) == 0:
		h.next, h.synced = seq+s.PayloadLen, true
	default:
		t.fresh(e, side, seq, b, s, log)
	}
	t.answered(e, side, s, log)
}

// answered marks the flow exchanged once the server has sent something that is not a
// refusal.
func (t *table) answered(e *entry, side int, s *decode.Segment, log *capture.Log) {
	if side == int(e.client) || e.has(flagOpenTold) || e.outcome == capture.Refused {
		return
	}
	if e.half[side].buf != 0 && e.app == capture.ProtoTLS {
		return // an alert or a ServerHello: the next bytes tell
	}
	t.exchanged(e, s, log)
}

// fresh takes a segment of a direction in which no message is being collected.
func (t *table) fresh(e *entry, side int, seq uint32, b []byte, s *decode.Segment, log *capture.Log) {
	h := &e.half[side]
	end := s.Seq + s.PayloadLen
	if s.Flags&decode.SYN != 0 {
		end++
	}
	if h.synced {
		ahead := int32(seq - h.next)
		switch {
		case ahead < 0 && !h.told && t.begins(s, b):
			// What was at this place before was no message: an ACK with stray bytes. Or
			// it is the start of an answer whose later part came first.
		case ahead < 0:
			if int(-ahead) >= len(b) {
				return // seen before
			}
			b, seq = b[-ahead:], h.next
		case ahead > 0 && ahead < maxAhead && t.early(e, side, seq, b, s):
			return
		}
	}
	t.read(e, side, seq, end, b, s, log)
}

// begins says that b is surely the start of a message.
func (t *table) begins(s *decode.Segment, b []byte) bool {
	_, v := t.reg.stream(0, s.SrcPort, s.DstPort, b)
	return v == proto.Yes
}

// early deals with a segment that came before the ones it follows, at the start of a
// stream where a hello may be out of order. It says whether the segment is dealt with.
func (t *table) early(e *entry, side int, seq uint32, b []byte, s *decode.Segment) bool {
	h := &e.half[side]
	if !e.has(flagSYN) {
		return false // not surely at the start: what is missing is taken for lost
	}
	if t.begins(s, b) {
		return false
	}
	if side != int(e.client) {
		// Of an answer the first bytes are enough: it is waited for, not stored.
		return !e.has(flagOpenTold) && e.bytes[side] <= maxAhead
	}
	if e.bytes[side] != uint64(s.PayloadLen) {
		return false
	}
	h.buf = t.buffers.get(h.next)
	if f := t.buffers.add(h.buf, seq, b); f != faultNone {
		t.drop(e, side, f)
		return false
	}
	return true
}

// read parses messages at the start of b, which begins at seq in the stream. What is
// left of a message that is not whole goes into a buffer.
func (t *table) read(e *entry, side int, seq, end uint32, b []byte, s *decode.Segment, log *capture.Log) {
	h := &e.half[side]
	h.next, h.synced = end, true
	cut := uint32(len(s.Payload)) < s.PayloadLen
	for len(b) > 0 {
		n, status := t.message(e, side, b, cut, s, log)
		switch {
		case status == proto.Incomplete && !cut:
			h.buf = t.buffers.get(seq)
			if f := t.buffers.add(h.buf, seq, b); f != faultNone {
				t.drop(e, side, f)
			}
			return
		case status == proto.Reject || status == proto.Incomplete || n == 0 || h.shut:
			return
		}
		b, seq = b[n:], seq+uint32(n)
	}
}

// collect adds a segment to the message being collected and tries to read it.
func (t *table) collect(e *entry, side int, seq uint32, s *decode.Segment, log *capture.Log) {
	h := &e.half[side]
	f := t.buffers.add(h.buf, seq, s.Payload)
	buf := t.buffers.at(h.buf)
	cut := uint32(len(s.Payload)) < s.PayloadLen
	last := cut || f == faultBig
	for buf.have > 0 {
		n, status := t.message(e, side, buf.data[:buf.have], last, s, log)
		if status == proto.Incomplete && !last {
			if f != faultNone {
				t.abandon(e, side, seq, s, f)
			}
			return
		}
		if status == proto.Reject || status == proto.Incomplete || n == 0 || h.shut {
			t.leave(e, side)
			return
		}
		buf.consume(n)
	}
	if f != faultNone {
		t.abandon(e, side, seq, s, f)
		return
	}
	if len(buf.spans) == 0 {
		t.leave(e, side)
	}
}

// abandon gives up the message being collected because of f, after the segment at seq.
func (t *table) abandon(e *entry, side int, seq uint32, s *decode.Segment, f fault) {
	t.drop(e, side, f)
	e.half[side].next = seq + s.PayloadLen
}

// leave ends collecting: the stream goes on after the contiguous bytes.
func (t *table) leave(e *entry, side int) {
	h := &e.half[side]
	buf := t.buffers.at(h.buf)
	h.next = buf.base + uint32(len(buf.data))
	t.buffers.put(h.buf)
	h.buf = 0
}

// message tries to read one message at the start of b, sent by side.
func (t *table) message(e *entry, side int, b []byte, last bool, s *decode.Segment, log *capture.Log) (int, proto.Status) {
	for i := 0; i < len(t.reg.streams); i++ {
		var verdict proto.Verdict
		i, verdict = t.reg.stream(i, s.SrcPort, s.DstPort, b)
		switch {
		case verdict == proto.No:
			return 0, proto.Reject
		case verdict == proto.More:
			return 0, proto.Incomplete
		}
		mark := log.Len()
		n, status := t.reg.streams[i].Parse(b, last, log)
		if status != proto.Reject {
			t.told(e, side, &t.reg.streams[i], status, log, mark)
			t.stamp(e, s, log, mark)
			return n, status
		}
		log.Truncate(mark)
		if t.reg.streams[i].Port != 0 {
			t.stats.Rejected++
		}
	}
	return 0, proto.Reject
}

// drop gives up the message being collected because of f.
func (t *table) drop(e *entry, side int, f fault) {
	h := &e.half[side]
	t.buffers.put(h.buf)
	h.buf = 0
	e.set(flagPartial)
	switch f {
	case faultFull:
		t.stats.AssemblyFull++
	case faultBig:
		t.stats.AssemblyTooBig++
	default:
		e.set(flagGap)
		t.stats.Gaps++
	}
}

// settle reads what can be read of the message being collected, since no more comes.
func (t *table) settle(e *entry, side int, order uint64, log *capture.Log) {
	h := &e.half[side]
	if h.buf == 0 {
		return
	}
	buf := t.buffers.at(h.buf)
	mark := log.Len()
	if buf.have > 0 && !h.shut {
		s := e.segment(side)
		t.message(e, side, buf.data[:buf.have], true, &s, log)
	}
	for i := mark; i < log.Len(); i++ {
		log.At(i).Order = order
	}
	if log.Len() == mark {
		f := faultNone
		if len(buf.spans) > 0 {
			f = faultHoles
		}
		t.unfinished(e, side, f)
		return
	}
	t.buffers.put(h.buf)
	h.buf = 0
}

// unfinished forgets a message that ended before it was whole.
func (t *table) unfinished(e *entry, side int, f fault) {
	if f == faultHoles {
		t.drop(e, side, f)
		return
	}
	t.buffers.put(e.half[side].buf)
	e.half[side].buf = 0
	if side == int(e.client) {
		e.set(flagPartial)
	}
}

// segment stands for the latest packet of side where only the flow is left of it.
func (e *entry) segment(side int) decode.Segment {
	return decode.Segment{
		Time: e.seen, Packet: e.last, Protocol: e.transport, VLAN: e.vlan,
		Src: e.addr[side], SrcPort: e.port[side], SrcMAC: e.mac[side],
		Dst: e.addr[1-side], DstPort: e.port[1-side], DstMAC: e.mac[1-side],
	}
}
