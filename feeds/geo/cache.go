package geo

import "sync/atomic"

// The cache has room for 32,768 records in sets of 4: every record of a country
// database, and the networks in use of an AS database.
const (
	cacheSetBits = 13
	cacheWays    = 4
)

// cache remembers decoded records by their offset in a database. Readers do not wait.
type cache struct {
	sets [1 << cacheSetBits][cacheWays]atomic.Pointer[cached]
	turn atomic.Uint32 // which of a full set is replaced next
}

type cached struct {
	offset uintptr
	answer answer
}

func (c *cache) set(offset uintptr) *[cacheWays]atomic.Pointer[cached] {
	const fibonacci = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio spreads the offsets
	return &c.sets[uint64(offset)*fibonacci>>(64-cacheSetBits)]
}

// get returns the answer of the record at offset, nil if it is not remembered.
func (c *cache) get(offset uintptr) *answer {
	set := c.set(offset)
	for i := range set {
		if e := set[i].Load(); e != nil && e.offset == offset {
			return &e.answer
		}
	}
	return nil
}

// put remembers the answer of the record at offset and returns it.
func (c *cache) put(offset uintptr, a answer) *answer {
	e := &cached{offset, a}
	set := c.set(offset)
	for i := range set {
		if set[i].CompareAndSwap(nil, e) {
			return &e.answer
		}
	}
	set[c.turn.Add(1)%cacheWays].Store(e)
	return &e.answer
}
