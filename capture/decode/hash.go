package decode

import (
	"encoding/binary"
	"math/bits"
)

// Odd constants without pattern (fractions of square roots, FIPS 180-4 §5.3.5).
const (
	mixLow   = 0xbb67ae8584caa73b
	mixHigh  = 0x3c6ef372fe94f82b
	mixPort  = 0xa54ff53a5f1d36f1
	mixFinal = 0x510e527fade682d1
)

// Hash returns a number that is the same for both directions of a flow and otherwise
// evenly spread: addresses, ports and protocol go in, VLAN and MACs do not. It is not
// cryptographic; a random seed keeps outsiders from choosing collisions cheaply.
func (s *Segment) Hash(seed uint64) uint64 {
	h := endpoint(&s.Src, s.SrcPort, seed) + endpoint(&s.Dst, s.DstPort, seed)
	return fold(h^mixFinal, seed^mixHigh+uint64(s.Protocol)<<1)
}

func endpoint(a *[16]byte, port uint16, seed uint64) uint64 {
	high, low := binary.LittleEndian.Uint64(a[:8]), binary.LittleEndian.Uint64(a[8:])
	return fold(high^seed^mixLow, low^bits.RotateLeft64(seed, 32)^mixHigh) ^ uint64(port)*mixPort
}

// fold multiplies to 128 bits and adds the halves without carry, so that every bit
// of a and b reaches every bit of the result.
func fold(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}
