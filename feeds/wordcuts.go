package feeds

import "encoding/binary"

// blockSize is how many bytes of a name wordCuts looks at.
const blockSize = 64

// Bytes of a word of eight, each the same.
const (
	everyByte = 0x0101010101010101
	lowBits   = 0x7f * everyByte
	highBit   = 0x80 * everyByte
	// gather moves the lowest bits of eight bytes into the highest one.
	gather = 0x0102040810204080
)

// wordCuts has bit i set if b[i] is a dot or a hyphen; b has at most blockSize bytes. It
// looks at eight bytes at a time: names are cut at places no branch predictor guesses.
func wordCuts(b []byte) uint64 {
	var cuts uint64
	n := len(b)
	i := 0
	for ; i+8 <= n; i += 8 {
		cuts |= cutsOf(binary.LittleEndian.Uint64(b[i:])) << i
	}
	switch {
	case i == n:
	case n >= 8:
		cuts |= cutsOf(binary.LittleEndian.Uint64(b[n-8:])) << (n - 8)
	default:
		var rest [8]byte
		copy(rest[:], b)
		cuts = cutsOf(binary.LittleEndian.Uint64(rest[:]))
	}
	return cuts
}

// cutsOf has bit i set if byte i of w, from the lowest, is a hyphen or a dot. These two
// are neighbours in ASCII: seven bits of a byte reach 0x80 with one addend and not with
// the other.
func cutsOf(w uint64) uint64 {
	low := w & lowBits
	cut := (low + (0x80-'-')*everyByte) &^ (low + (0x80-'.'-1)*everyByte) &^ w & highBit
	return cut >> 7 * gather >> 56
}
