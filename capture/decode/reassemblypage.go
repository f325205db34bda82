package decode

import (
	"bytes"
	"math/bits"
)

const (
	pageBytes        = 2048
	pagesPerDatagram = (maxDatagram + pageBytes - 1) / pageBytes
	slabPages        = 64 // pages allocated at once
)

// page holds the data of one stretch of a datagram, each byte at its own place.
type page struct {
	blocks [pageBytes / blockBytes / 64]uint64 // bit i%64 of word i/64: block i is held
	data   [pageBytes]byte
}

// run returns the bits of the n blocks from the first on as far as they lie in one
// word, and how many those are.
func run(first, n int) (uint64, int) {
	shift := first % 64
	k := min(n, 64-shift)
	return ^uint64(0) >> (64 - k) << shift, k
}

// held returns how many of the n blocks from the first on are held.
func (p *page) held(first, n int) int {
	sum := 0
	for n > 0 {
		mask, k := run(first, n)
		sum += bits.OnesCount64(p.blocks[first/64] & mask)
		first, n = first+k, n-k
	}
	return sum
}

// put stores the blocks of data that are not held and returns their number.
func (p *page) put(offset int, data []byte) int {
	first, n := offset/blockBytes, blocks(len(data))
	if p.held(first, n) > 0 {
		return p.fill(first, data)
	}
	copy(p.data[offset:], data)
	for left := n; left > 0; {
		mask, k := run(first, left)
		p.blocks[first/64] |= mask
		first, left = first+k, left-k
	}
	return n
}

// fill stores data block by block.
func (p *page) fill(first int, data []byte) int {
	fresh := 0
	for i := first; len(data) > 0; i++ {
		n := min(len(data), blockBytes)
		if bit := uint64(1) << (i % 64); p.blocks[i/64]&bit == 0 {
			copy(p.data[i*blockBytes:], data[:n])
			p.blocks[i/64] |= bit
			fresh++
		}
		data = data[n:]
	}
	return fresh
}

func (p *page) equal(offset int, data []byte) bool {
	return bytes.Equal(p.data[offset:offset+len(data)], data)
}

// pages lends out pages by number, from 1 on, and never gives memory back.
type pages struct {
	slabs [][]page
	idle  []int // numbers of pages given back
	made  int   // pages handed out for the first time
	max   int
}

func (ps *pages) at(id int) *page { return &ps.slabs[(id-1)/slabPages][(id-1)%slabPages] }

func (ps *pages) used() int { return ps.made - len(ps.idle) }

// take returns an empty page, 0 if all are in use.
func (ps *pages) take() int {
	if n := len(ps.idle); n > 0 {
		id := ps.idle[n-1]
		ps.idle = ps.idle[:n-1]
		clear(ps.at(id).blocks[:])
		return id
	}
	if ps.made == ps.max {
		return 0
	}
	if ps.made == len(ps.slabs)*slabPages {
		ps.slabs = append(ps.slabs, make([]page, slabPages))
	}
	ps.made++
	return ps.made
}

// free takes back the pages of a datagram.
func (ps *pages) free(ids *[pagesPerDatagram]int) {
	for i, id := range ids {
		if id != 0 {
			ps.idle = append(ps.idle, id)
			ids[i] = 0
		}
	}
}

// outputBytes is the size of the buffers for whole datagrams, room for the largest.
const outputBytes = 1 << 16

// outputs lends out memory for whole datagrams until reset, and keeps it for reuse.
type outputs struct {
	buffers [][]byte
	current int // buffer in use
	used    int // bytes used of it
	max     int // buffers at most
}

func (o *outputs) reset() { o.current, o.used = 0, 0 }

// take returns n bytes with arbitrary content, nil if all memory is lent out.
func (o *outputs) take(n int) []byte {
	if o.used+n > outputBytes {
		o.current++
		o.used = 0
	}
	if o.current >= len(o.buffers) {
		if len(o.buffers) >= o.max {
			return nil
		}
		o.buffers = append(o.buffers, make([]byte, outputBytes))
	}
	b := o.buffers[o.current][o.used : o.used+n : o.used+n]
	o.used += n
	return b
}
