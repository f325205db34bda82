package flow

import (
	"telltale/capture"
	"telltale/capture/decode"
)

// Where bulk is held back before it comes here, what was sent is told by the sequence
// numbers of the packets around it and by what the other side acknowledges.

// spanned moves on both directions of e by the numbers of s.
func (t *table) spanned(e *entry, side int, s *decode.Segment) {
	if !t.conf.Prefiltered || s.Flags&decode.RST != 0 {
		return
	}
	both := t.sequences.at(e.n)
	h, other := &both[side], &both[1-side]
	seq := s.Seq
	if s.Flags&decode.SYN != 0 {
		seq++
	}
	if !h.spanning {
		h.top, h.spanning = seq, true
	}
	h.sent(seq + s.PayloadLen)
	if s.Flags&decode.FIN != 0 && h.top == seq+s.PayloadLen {
		h.top++ // counts as one byte and is none
	}
	if s.Flags&decode.ACK != 0 && other.spanning {
		other.sent(s.Ack)
	}
}

// sent notes that all before sequence number end was sent.
func (h *sequence) sent(end uint32) {
	if ahead := int32(end - h.top); ahead > 0 {
		h.span += uint64(ahead)
		h.top = end
	}
}

// totals corrects the totals of f, which describes e, for what was held back.
func (t *table) totals(e *entry, f *capture.FlowState) {
	if !t.conf.Prefiltered {
		return
	}
	f.Prefiltered = true
	if e.transport == protoTCP {
		both := t.sequences.at(e.n)
		f.BytesOut = max(f.BytesOut, both[e.client].span)
		f.BytesIn = max(f.BytesIn, both[1-e.client].span)
	}
}

// stale says whether e had ended by its silence when s came, whether that was noticed
// or not: so that how many packets are seen in between does not matter.
func (t *table) stale(e *entry, s *decode.Segment) bool { return s.Time-e.seen > int64(t.idle(e)) }
