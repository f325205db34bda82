package feeds

import (
	"math/bits"
	"slices"
)

// names is an immutable table of domain names that finds every entry which is a name
// or one of its parents at a label boundary, in one pass over the name from the right:
// the hash of each parent is a prefix of the pass. A filter that knows the entries and
// their own parents ends the pass at the first parent under which nothing is listed,
// nearly always the second label. One name costs about 40 bytes with its own text.
type names struct {
	text    []byte
	entries []nameEntry
	slots   []uint32 // index+1 into entries, 0 is free; linear probing
	filter  []uint64 // Bloom filter over hashes of entries and their parents; bits of one word
	slotMsk uint64
	wordMsk uint64
	minLen  int // of an entry; shorter parents are not in the filter
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
	start uint16
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
		size := int(t.entries[i].size)
		t.minLen, t.maxLen = min(t.minLen, size), max(t.maxLen, size)
	}
	for i := range t.entries {
		t.enter(i)
	}
	return t
}

// enter makes entry i known to the filter, with its parents, and to the slots.
func (t *names) enter(i int) {
	e := &t.entries[i]
	name := t.name(e)
	state := uint64(hashBasis)
	for j := len(name) - 1; j >= 0; j-- {
		c := name[j]
		if (c == '.' || c == '-' && t.dashed) && len(name)-j-1 >= t.minLen {
			h := endHash(state)
			t.filter[h>>24&t.wordMsk] |= parentBits(h)
		}
		state = nextHash(state, c)
	}
	h := endHash(state)
	e.hash = uint32(h >> 32)
	t.filter[h>>24&t.wordMsk] |= parentBits(h) | entryBit(h)
	t.place(h, i)
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

// parentBits returns the three bits that stand in the filter for the hash of an entry or
// of a parent of one, and entryBit the bit that an entry has beside them.
func parentBits(h uint64) uint64 { return 1<<(h>>58) | 1<<(h>>52&63) | 1<<(h>>46&63) }
func entryBit(h uint64) uint64   { return 1 << (h >> 40 & 63) }

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
	state := uint64(hashBasis)
	for i := len(name) - 1; i >= 0; i-- {
		c := name[i]
		if c != '.' && c != dash {
			state = nextHash(state, c)
			continue
		}
		if size := len(name) - i - 1; size >= t.minLen {
			h := endHash(state)
			known, entry := t.filtered(h)
			if !known || size > t.maxLen {
				return hits
			}
			if entry && (c == dash && t.dashed || boundary(name, i+1)) {
				hits = t.probe(h, name[i+1:], i+1, hits)
			}
		}
		state = nextHash(state, c)
	}
	h := endHash(state)
	if _, entry := t.filtered(h); !entry {
		return hits
	}
	return t.probe(h, name, 0, hits)
}

// filtered reports whether the filter knows the hash as that of an entry or of a parent
// of one, and as that of an entry.
func (t *names) filtered(h uint64) (known, entry bool) {
	word, want := t.filter[h>>24&t.wordMsk], parentBits(h)
	return word&want == want, word&(want|entryBit(h)) == want|entryBit(h)
}

func (t *names) probe(h uint64, name []byte, start int, hits []hit) []hit {
	for s := h & t.slotMsk; t.slots[s] != 0; s = (s + 1) & t.slotMsk {
		e := &t.entries[t.slots[s]-1]
		if e.hash == uint32(h>>32) && string(t.name(e)) == string(name) {
			hits = append(hits, hit{rule: e.rule, start: uint16(start)})
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
