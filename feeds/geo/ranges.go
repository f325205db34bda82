package geo

import "math/bits"

// indexBits is the width of the index over a half of a table: 65,536 slots cut the
// search to the few segments that begin in one of them.
const indexBits = 16

// ranges4 are the IPv4 segments, ready to search.
type ranges4 struct {
	starts []uint32
	values []uint32
	index  []uint32 // for each /16 the segment its first address is in, and the last segment
}

func parseRanges4(raw []byte, palette int) (*ranges4, error) {
	starts, values, err := parseSegments(raw, space4, palette, func(k key) uint32 { return uint32(k.lo) })
	if err != nil {
		return nil, err
	}
	index := indexOf(len(starts), func(i int) (slot uint32, first bool) {
		return starts[i] >> 16, starts[i]&0xffff == 0
	})
	return &ranges4{starts, values, index}, nil
}

// find returns the value at a, and the length of the largest prefix around a that has
// it as a whole.
func (t *ranges4) find(a uint32) (value uint32, prefix int) {
	lo, hi := int(t.index[a>>16]), int(t.index[a>>16+1])
	for lo < hi {
		mid := int(uint(lo+hi+1) >> 1)
		if t.starts[mid] <= a {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	if lo > 0 {
		prefix = bits.LeadingZeros32(a^(t.starts[lo]-1)) + 1
	}
	if lo+1 < len(t.starts) {
		prefix = max(prefix, bits.LeadingZeros32(a^t.starts[lo+1])+1)
	}
	return t.values[lo], prefix
}

// ranges6 are the IPv6 segments, ready to search.
type ranges6 struct {
	starts []key
	values []uint32
	index  []uint32 // as in ranges4, for each /19 of 2000::/3
}

// shift6 is how many bits of the high half stand behind a place in the index.
const shift6 = 64 - 3 - indexBits

// slot6 is the place of a number of 2000::/3 in the index.
func slot6(hi uint64) uint32 {
	return uint32(hi>>shift6) & (1<<indexBits - 1)
}

func parseRanges6(raw []byte, palette int) (*ranges6, error) {
	starts, values, err := parseSegments(raw, space6, palette, func(k key) key { return k })
	if err != nil {
		return nil, err
	}
	index := indexOf(len(starts), func(i int) (slot uint32, first bool) {
		k := starts[i]
		return slot6(k.hi), k.hi&(1<<shift6-1) == 0 && k.lo == 0
	})
	return &ranges6{starts, values, index}, nil
}

// find is that of ranges4. Nothing is known outside 2000::/3.
func (t *ranges6) find(a key) (value uint32, prefix int) {
	if !space6.contains(a) {
		return 0, 128
	}
	slot := slot6(a.hi)
	lo, hi := int(t.index[slot]), int(t.index[slot+1])
	for lo < hi {
		mid := int(uint(lo+hi+1) >> 1)
		if a.less(t.starts[mid]) {
			hi = mid - 1
		} else {
			lo = mid
		}
	}
	prefix = 3
	if lo > 0 {
		prefix = max(prefix, a.sharedBits(t.starts[lo].minus(one))+1)
	}
	if lo+1 < len(t.starts) {
		prefix = max(prefix, a.sharedBits(t.starts[lo+1])+1)
	}
	return t.values[lo], prefix
}

// indexOf returns for each slot the segment that its first address is in, followed by
// the last of n segments. place tells the slot a segment begins in, and whether it does
// so at its first address. The first segment begins at the first address of slot 0.
func indexOf(n int, place func(i int) (slot uint32, first bool)) []uint32 {
	index := make([]uint32, 1<<indexBits+1)
	next := 1
	for slot := range uint32(1 << indexBits) {
		for next < n {
			at, first := place(next)
			if at > slot || at == slot && !first {
				break
			}
			next++
		}
		index[slot] = uint32(next - 1)
	}
	index[1<<indexBits] = uint32(n - 1)
	return index
}
