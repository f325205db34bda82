package feeds

// wordEdges says of nearly every word, by its first and its last three bytes, that it
// is no brand and not one edit away from one. An edit leaves one of the two in place: it
// touches two neighbouring bytes at most, and a brand that is looked for with edits has
// seven or more.
type wordEdges struct {
	first, last [edgeBits / 64]uint64
}

const edgeBits = 1 << 14

func (e *wordEdges) add(brand string) {
	f, l := edges([]byte(brand))
	e.first[f/64] |= 1 << (f % 64)
	e.last[l/64] |= 1 << (l % 64)
}

// may reports whether word, of three bytes or more, can resemble a brand.
func (e *wordEdges) may(word []byte) bool {
	f, l := edges(word)
	return e.first[f/64]&(1<<(f%64)) != 0 || e.last[l/64]&(1<<(l%64)) != 0
}

// edges folds the first and the last three bytes of a word.
func edges(w []byte) (first, last uint32) {
	fold := func(a, b, c byte) uint32 { return (uint32(a) ^ uint32(b)<<5 ^ uint32(c)<<9) % edgeBits }
	n := len(w)
	return fold(w[0], w[1], w[2]), fold(w[n-3], w[n-2], w[n-1])
}
