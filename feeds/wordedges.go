package feeds

import (
	"encoding/binary"
	"math/bits"
)

// wordEdges says of nearly every name that no word of it is a brand or one edit away from
// one, by the length of the words and their first and last three bytes. An edit leaves
// one of the two in place: it touches two neighbouring bytes at most, and a brand that is
// looked for with edits has seven or more.
type wordEdges struct {
	// lengths has bit n set if a word of n bytes can be within one edit of a brand.
	lengths     uint64
	first, last [1 << edgeBits / 64]uint64
}

// edgeBits is the binary logarithm of how many kinds of edge are told apart.
const edgeBits = 14

func (e *wordEdges) add(brand string, typos bool) {
	e.lengths |= 1 << len(brand)
	if typos {
		e.lengths |= 1<<(len(brand)-1) | 1<<(len(brand)+1)
	}
	first, last := edges([]byte(brand), 0, len(brand))
	e.first[first/64] |= 1 << (first % 64)
	e.last[last/64] |= 1 << (last % 64)
}

// may reports whether a word of name, the one behind the last cut excepted, can resemble
// a brand, or a label can be in Punycode: it has two hyphens in a row. Nothing in the
// inner loop depends on what the word is, so that only its end can be guessed wrong.
func (e *wordEdges) may(name []byte) bool {
	if len(name) <= minBrand {
		return false
	}
	var found, carry uint64
	word := 0
	for base := 0; base < len(name); base += blockSize {
		cuts := wordCuts(name[base:min(base+blockSize, len(name))])
		found |= cuts & (cuts<<1 | carry)
		carry = cuts >> (blockSize - 1)
		for ; cuts != 0; cuts &= cuts - 1 {
			end := base + bits.TrailingZeros64(cuts)
			first, last := edges(name, word, end)
			found |= e.lengths >> uint(end-word) & (e.first[first/64]>>(first%64) | e.last[last/64]>>(last%64)) & 1
			word = end + 1
		}
	}
	return found != 0
}

// edges folds the first and the last three bytes of the word b[from:to]. Of a word that is
// shorter than any brand it folds what is near; b has at least minBrand bytes.
func edges(b []byte, from, to int) (first, last uint32) {
	const fold = 0x9e3779b1
	head := binary.LittleEndian.Uint32(b[min(from, len(b)-4):]) & 0xffffff
	tail := binary.LittleEndian.Uint32(b[max(to-4, 0):]) >> 8
	return head * fold >> (32 - edgeBits), tail * fold >> (32 - edgeBits)
}
