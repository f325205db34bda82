package flow

import "telltale/capture/decode"

// What one side acknowledges it has received. If that was not seen here, it was lost
// between the network and the capture, as on an overloaded mirror port: the method of
// Zeek's capture-loss. Only flows of which both directions are seen tell.

// maxGap is the longest run of bytes taken for lost at once; a longer one is a stray
// acknowledgement.
const maxGap = 64 << 20

// heard compares what s acknowledges with what was seen of the other side, and notes
// how far its own side has come.
func (t *table) heard(e *entry, side int, s *decode.Segment) {
	if !t.conf.Loss {
		return
	}
	both := t.sequences.at(e.n)
	t.reached(&both[side], s)
	h := &both[1-side]
	if s.Flags&decode.ACK == 0 || !h.known {
		return
	}
	ack := s.Ack
	if w := uint32(t.conf.LossWindow); w > 0 {
		if !h.whole {
			return
		}
		if limit := h.first + w; int32(ack-limit) > 0 {
			ack = limit
		}
	}
	ahead := int32(ack - h.acked)
	if ahead <= 0 || ahead > maxGap {
		return
	}
	h.acked = ack
	t.stats.Acknowledged += uint64(ahead)
	if missing := int32(ack - h.reach); missing > 0 {
		h.reach = ack
		h.hole += uint32(missing)
		t.stats.Unseen += uint64(missing)
	}
}

// reached moves h on to the end of s. What comes later than its acknowledgement, as
// mirror ports reorder, fills the hole it left.
func (t *table) reached(h *sequence, s *decode.Segment) {
	start := s.Seq
	end := start + s.PayloadLen
	if s.Flags&decode.SYN != 0 {
		start, end = start+1, end+1
	}
	if s.Flags&decode.FIN != 0 {
		end++
	}
	if !h.known {
		if s.PayloadLen > 0 || s.Flags&(decode.SYN|decode.FIN) != 0 {
			h.known, h.reach, h.acked = true, end, start
			h.first, h.whole = start, s.Flags&decode.SYN != 0
		}
		return
	}
	late := end - start // the FIN too: it is acknowledged like a byte
	if ahead := int32(end - h.reach); ahead > 0 {
		h.reach = end
		late -= min(late, uint32(ahead))
	}
	late = min(late, h.hole)
	h.hole -= late
	t.stats.Unseen -= uint64(late)
}
