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
	asked := side != int(e.client) && e.has(flagAsked)
	seq, b := s.Seq, s.Payload
	if s.Flags&decode.SYN != 0 {
		seq++
	}
	switch {
	case h.buf != 0:
		t.collect(e, side, seq, s, log)
	case len(b) == 0:
		h.advance(seq + s.PayloadLen)
	default:
		t.fresh(e, side, seq, b, s, log)
	}
	if asked && len(b) > 0 && e.proxySaid(side, s) {
		return
	}
	t.answered(e, side, s, log)
}

// answered marks the flow exchanged once the server has sent something that is not a
// refusal.
func (t *table) answered(e *entry, side int, s *decode.Segment, log *capture.Log) {
	if side == int(e.client) || e.has(flagOpenTold) || e.outcome == capture.Refused {
		return
	}
	if h := &e.half[side]; h.buf != 0 && e.app == capture.ProtoTLS && !h.told && t.buffers.at(h.buf).have > 0 {
		return // an alert or a ServerHello: the next bytes tell
	}
	t.exchanged(e, s, log)
}

// fresh takes a segment of a direction in which no message is being collected.
func (t *table) fresh(e *entry, side int, seq uint32, b []byte, s *decode.Segment, log *capture.Log) {
	h := &e.half[side]
	late := false
	if h.synced {
		ahead := int32(seq - h.next)
		switch {
		case ahead < 0 && h.missed(seq):
			late = true
		case ahead < 0 && !h.told && t.begins(e, side, s, b):
			// What was at this place before was no message: an ACK with stray bytes. Or
			// it is the start of an answer whose later part came first.
		case ahead < 0:
			if int(-ahead) >= len(b) {
				return // seen before
			}
			b, seq = b[-ahead:], h.next
		case ahead > 0 && ahead < maxAhead && t.early(e, side, seq, b, s):
			return
		case ahead > 0:
			h.gap = [2]uint32{h.next, seq}
			h.edge = false
		}
	}
	t.read(e, side, seq, late, s, b, log)
	if late {
		h.fill(seq + uint32(len(b)))
	}
}

// early puts a segment aside that came before the ones it follows, where a message may
// begin before it: the start of a stream, what follows a whole message, or where a reader
// wants its next one. It says
// whether the segment is dealt with.
func (t *table) early(e *entry, side int, seq uint32, b []byte, s *decode.Segment) bool {
	h := &e.half[side]
	from := h.next
	if r := t.reading(e, side); r != nil && int32(seq-r.at) > 0 {
		from = r.at
	} else if !h.edge || t.verdict(s, b, false) == proto.Yes {
		return false // what is missing is taken for lost, until it comes late
	}
	h.buf = t.buffers.get(from)
	if f := t.put(e, side, seq, b); f != faultNone {
		t.drop(e, side, f)
		return false
	}
	return true
}

// read parses messages at the start of b, which begins at seq in the stream. What is
// left of a message that is not whole goes into a buffer, unless it comes late: what
// followed it is gone by. Then what begins behind the gap was read before.
func (t *table) read(e *entry, side int, seq uint32, late bool, s *decode.Segment, b []byte, log *capture.Log) {
	h := &e.half[side]
	end := s.Seq + s.PayloadLen
	if s.Flags&decode.SYN != 0 {
		end++
	}
	h.advance(end)
	last := late || uint32(len(s.Payload)) < s.PayloadLen
	for {
		n, status := t.message(e, side, seq, b, last, s, log)
		switch {
		case status.Waits() && !last:
			h.buf = t.buffers.get(seq)
			if f := t.put(e, side, seq, b); f != faultNone {
				t.drop(e, side, f)
			}
			return
		case status.Waits() || n == 0:
			if n = h.rest(seq, len(b)); n == 0 {
				return
			}
		case h.shut:
			return
		}
		if n >= len(b) || late && !h.missed(seq+uint32(n)) {
			h.pass(seq + uint32(n))
			return
		}
		b, seq = b[n:], seq+uint32(n)
	}
}
