package feeds

import (
	"math/bits"
	"slices"
)

// names is an immutable table of domain names that finds every entry which is a name
// or one of its parents at a label boundary, in one pass over the name from the right:
// the hash of each parent is a prefix of the pass. A filter answers nearly all questions
// before the table is touched. One name costs about 40 bytes with its own text.
type names struct {
	text    []byte
	entries []nameEntry
	slots   []uint32 // index+1 into entries, 0 is free; linear probing
	filter  []uint64 // Bloom filter over hashes, three bits in one word
	slotMsk uint64
	wordMsk uint64
	minLen  int
	maxLen  int
	// dashed says that hyphens part labels too.
	dashed bool
}

// nameEntry is a name and the rule that belongs to it.
type nameEntry struct {
	hash uint32 // upper half of the hash
	off  uint32 // of the name in text
	rule uint32
	size uint16
}

// hit is an entry found in a name: the rule, and where the entry begins in the name.
type hit struct {
	rule  uint32
	start int
}

// maxName is the longest name looked up: 255 octets (RFC 1035 §2.3.4), each of which
// may be written as \DDD.
const maxName = 1024

const (
	hashBasis = 0x9e3779b97f4a7c15
	hashPrime = 0xff51afd7ed558ccd
)

// namesBuilder collects entries. The same name may be added with several rules.
type namesBuilder struct{ t names }

func (b *namesBuilder) add(name string, rule uint32) {
	b.t.entries = append(b.t.entries, nameEntry{off: uint32(len(b.t.text)), size: uint16(len(name)), rule: rule})
	b.t.text = append(b.t.text, name...)
}

// addBytes is add without a copy of the name.
func (b *namesBuilder) addBytes(name []byte, rule uint32) {
	b.t.entries = append(b.t.entries, nameEntry{off: uint32(len(b.t.text)), size: uint16(len(name)), rule: rule})
	b.t.text = append(b.t.text, name...)
}

// grow makes room for more entries, so that what is built has none to spare.
func (b *namesBuilder) grow(entries, text int) {
	b.t.entries, b.t.text = slices.Grow(b.t.entries, entries), slices.Grow(b.t.text, text)
}

// build returns the table; the builder must not be used again.
func (b *namesBuilder) build() names {
	t := b.t
	t.text, t.entries = slices.Clip(t.text), slices.Clip(t.entries)
	n := uint64(len(t.entries))
	slots := uint64(1) << bits.Len64(n+n/2)
	words := uint64(1) << bits.Len64(n/4) // 16 to 32 bits a name
	t.slots, t.slotMsk = make([]uint32, slots), slots-1
	t.filter, t.wordMsk = make([]uint64, words), words-1
	t.minLen = maxName
	for i := range t.entries {
		e := &t.entries[i]
		h := hashName(t.name(e))
		e.hash = uint32(h >> 32)
		t.filter[h>>24&t.wordMsk] |= filterBits(h)
		t.place(h, i)
		t.minLen, t.maxLen = min(t.minLen, int(e.size)), max(t.maxLen, int(e.size))
	}
	return t
}

// place gives entry i a slot. The same name with the same rule again gets none.
func (t *names) place(h uint64, i int) {
	e, s := &t.entries[i], h&t.slotMsk
	for ; t.slots[s] != 0; s = (s + 1) & t.slotMsk {
		o := &t.entries[t.slots[s]-1]
		if o.hash == e.hash && o.rule == e.rule && string(t.name(o)) == string(t.name(e)) {
			return
		}
	}
	t.slots[s] = uint32(i + 1)
}

func (t *names) name(e *nameEntry) []byte { return t.text[e.off : e.off+uint32(e.size)] }

// nextHash takes one more byte into the state of a hash. Seven bits a byte hold any
// nine of a label without loss; a dot mixes what came before.
func nextHash(h uint64, c byte) uint64 {
	if c == '.' {
		return (h ^ h>>31) * hashPrime
	}
	return bits.RotateLeft64(h, 7) ^ uint64(c)
}

// endHash makes a hash of a state.
func endHash(h uint64) uint64 {
	h = (h ^ h>>32) * hashPrime
	return h ^ h>>29
}

// hashName hashes a name from its last byte to its first.
func hashName(name []byte) uint64 {
	h := uint64(hashBasis)
	for i := len(name) - 1; i >= 0; i-- {
		h = nextHash(h, name[i])
	}
	return endHash(h)
}

// filterBits returns the three bits that stand for a hash in its word of the filter.
func filterBits(h uint64) uint64 { return 1<<(h>>58) | 1<<(h>>52&63) | 1<<(h>>46&63) }

// find appends to hits the entries that are name or a parent of it, parents first.
// name must be canonical (capture.Observation.Name).
func (t *names) find(name []byte, hits []hit) []hit {
	if len(name) > maxName || len(t.entries) == 0 {
		return hits
	}
	dash := byte('.')
	if t.dashed {
		dash = '-'
	}
	h := uint64(hashBasis)
	stop := max(0, len(name)-t.maxLen-1)
	for i := len(name) - 1; i >= stop; i-- {
		c := name[i]
		if (c == '.' || c == dash) && t.listed(h, len(name)-i-1) && (c == dash && t.dashed || boundary(name, i+1)) {
			hits = t.probe(endHash(h), name[i+1:], i+1, hits)
		}
		h = nextHash(h, c)
	}
	if stop == 0 && t.listed(h, len(name)) {
		hits = t.probe(endHash(h), name, 0, hits)
	}
	return hits
}

// listed reports whether an entry of that size may have the hash.
func (t *names) listed(state uint64, size int) bool {
	if size < t.minLen || size > t.maxLen {
		return false
	}
	h := endHash(state)
	want := filterBits(h)
	return t.filter[h>>24&t.wordMsk]&want == want
}

func (t *names) probe(h uint64, name []byte, start int, hits []hit) []hit {
	for s := h & t.slotMsk; t.slots[s] != 0; s = (s + 1) & t.slotMsk {
		e := &t.entries[t.slots[s]-1]
		if e.hash == uint32(h>>32) && string(t.name(e)) == string(name) {
			hits = append(hits, hit{rule: e.rule, start: start})
		}
	}
	return hits
}

// longest returns the rule of the longest entry that is name or a parent of it.
func (t *names) longest(name []byte) (hit, bool) {
	var buf [8]hit
	hits := t.find(name, buf[:0])
	if len(hits) == 0 {
		return hit{}, false
	}
	return hits[len(hits)-1], true
}
