package flow

// half is what is known of one direction of a TCP flow.
type half struct {
	next   uint32    // next sequence number wanted; valid iff synced
	gap    [2]uint32 // bytes missed before next, from and to; empty if equal
	resume uint32    // where a message ends that is being passed over; valid iff passing
	buf    uint32    // assembly buffer + 1
	synced bool
	told   bool // a message of this direction was understood
	shut   bool // nothing further is wanted of this direction
	edge   bool // a message begins at next: it is the start, or what follows a whole one
	// enough says that what is being collected is wanted but not needed: if it is given
	// up, so is the direction.
	enough bool
	// passing says that next lies within the body of a message.
	passing bool
}

// start notes that the direction's bytes begin at seq.
func (h *half) start(seq uint32) { h.next, h.synced, h.edge = seq, true, true }

// advance notes that the direction was seen up to end.
func (h *half) advance(end uint32) {
	if !h.synced || int32(end-h.next) > 0 {
		h.next, h.synced = end, true
	}
}

// missed says that seq lies in the last gap: a segment there is not a repeated one.
func (h *half) missed(seq uint32) bool {
	return int32(seq-h.gap[0]) >= 0 && int32(seq-h.gap[1]) < 0
}

// fill notes that the gap was filled up to end.
func (h *half) fill(end uint32) {
	if h.missed(end) {
		h.gap[0] = end
		return
	}
	h.gap[0] = h.gap[1]
}

// pass notes that the message just read ends at to, which is next or beyond.
func (h *half) pass(to uint32) {
	ahead := int32(to - h.next)
	h.resume, h.edge, h.passing = to, ahead == 0, ahead > 0
}

// rest returns how many of the n bytes at seq belong to the message being passed over
// if another one follows it in them, else 0.
func (h *half) rest(seq uint32, n int) int {
	ahead := int(int32(h.resume - seq))
	if !h.passing || ahead > n {
		h.edge = false
		return 0
	}
	h.passing, h.edge = false, ahead == n
	if ahead <= 0 || ahead == n {
		return 0
	}
	return ahead
}
