package flow

// entries are the flows of a table by number. Their places stay while there come more,
// so that nothing is copied when a table grows.
type entries struct {
	chunks [][]entry
	n      uint32
}

// entriesChunk is how many entries are made at once.
const entriesChunk = 256

func (t *entries) at(n uint32) *entry { return &t.chunks[n/entriesChunk][n%entriesChunk] }

// add makes one more and returns its number.
func (t *entries) add() uint32 {
	if t.n%entriesChunk == 0 {
		t.chunks = append(t.chunks, make([]entry, entriesChunk))
	}
	t.n++
	return t.n - 1
}
