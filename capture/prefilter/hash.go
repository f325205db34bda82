package prefilter

import "encoding/binary"

// Odd constants without pattern (fractions of square roots, FIPS 180-4 §5.3.5).
const (
	mixFirst  = 0x6a09e667f3bcc909
	mixSecond = 0xbb67ae8584caa73b
)

// mix stirs word into h. The program does the same.
func mix(h, word uint64) uint64 {
	h = (h ^ word) * mixFirst
	return h ^ h>>32
}

// finish spreads h over all bits.
func finish(h uint64) uint64 {
	h *= mixSecond
	return h ^ h>>32
}

// words reads b as numbers in the byte order of this machine, as the program does.
func words(h uint64, b []byte, size int) uint64 {
	for ; len(b) >= size; b = b[size:] {
		if size == 4 {
			h = mix(h, uint64(binary.NativeEndian.Uint32(b)))
		} else {
			h = mix(h, binary.NativeEndian.Uint64(b))
		}
	}
	return h
}
