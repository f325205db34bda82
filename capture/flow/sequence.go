package flow

// sequence is what the sequence numbers of one direction of a TCP flow tell, beside
// where its messages are.
type sequence struct {
	known    bool // the numbers up to hole are valid
	whole    bool // first is the first of the stream
	spanning bool // top and span are valid

	first uint32 // sequence number of the first byte seen
	reach uint32 // sequence number behind the last byte seen, or acknowledged
	acked uint32 // the highest acknowledged
	hole  uint32 // bytes acknowledged and not seen

	top  uint32 // sequence number behind all that was sent
	span uint64 // bytes that were sent by then
}

// sequences are those of a table's flows, by the number of the flow. They lie apart,
// since a replay does without.
type sequences struct{ chunks [][][2]sequence }

// at returns those of both sides of the flow numbered n.
func (q *sequences) at(n uint32) *[2]sequence {
	for n/entriesChunk >= uint32(len(q.chunks)) {
		q.chunks = append(q.chunks, make([][2]sequence, entriesChunk))
	}
	return &q.chunks[n/entriesChunk][n%entriesChunk]
}

// begin forgets what was known of the flow that was numbered n before.
func (q *sequences) begin(n uint32) {
	if n/entriesChunk < uint32(len(q.chunks)) {
		*q.at(n) = [2]sequence{}
	}
}
