package pcapfile

import (
	"math"

	"telltale/capture"
)

const (
	// chunksAhead is the number of chunks of an open file that are kept while files are
	// merged, so that at least one whole chunk is known beyond every packet.
	chunksAhead = 2
	// maxSwitches is how often merging may change between two files that only touch.
	maxSwitches = 16
)

// chunk is a run of packets read ahead.
type chunk struct {
	capture.Batch
	clocks []int64 // clocks[i] is the earliest time of Packets[i:]
	next   int     // packets before it have been delivered
	latest int64   // latest time of all
}

// measure prepares a chunk that has just been filled.
func (c *chunk) measure(latest int64) {
	n := len(c.Packets)
	if cap(c.clocks) < n {
		c.clocks = make([]int64, n, cap(c.Packets))
	}
	c.clocks = c.clocks[:n]
	c.next, c.latest = 0, latest
	low := int64(math.MaxInt64)
	for i := n - 1; i >= 0; i-- {
		low = min(low, c.Packets[i].Time)
		c.clocks[i] = low
	}
}

// push adds a chunk to what f has ahead.
func (f *file) push(c *chunk) {
	c.measure(f.latest)
	f.ahead = append(f.ahead, c)
	f.tick()
}

// shift takes the first chunk away.
func (f *file) shift() *chunk {
	c := f.ahead[0]
	copy(f.ahead, f.ahead[1:])
	f.ahead = f.ahead[:len(f.ahead)-1]
	f.tick()
	return c
}

// tick sets the clock of f.
func (f *file) tick() {
	f.clock = math.MaxInt64
	if len(f.ahead) > 0 {
		c := cursor{chunks: f.ahead, i: f.ahead[0].next}
		f.clock = c.clock()
	}
}

// cursor walks over packets read ahead.
type cursor struct {
	chunks []*chunk
	i      int // packet of chunks[0]
}

// clock is the earliest time of the packets from the cursor on.
func (c *cursor) clock() int64 {
	low := c.chunks[0].clocks[c.i]
	for _, later := range c.chunks[1:] {
		low = min(low, later.clocks[0])
	}
	return low
}

// step goes to the next packet and reports whether there is one.
func (c *cursor) step() bool {
	if c.i++; c.i == len(c.chunks[0].Packets) {
		c.chunks, c.i = c.chunks[1:], 0
	}
	return len(c.chunks) > 0
}

// touches reports whether the later file b does no more than touch the end of a, as
// the second part of a capture does that was cut in two. Both have packets ahead.
func touches(a, b *file) bool {
	if !a.done {
		return false
	}
	if reach(a)-b.clock <= disorder {
		return true
	}
	x := cursor{chunks: a.ahead, i: a.ahead[0].next}
	y := cursor{chunks: b.ahead, i: b.ahead[0].next}
	switches := 0
	for fromA, more := true, true; more; {
		first := x.clock() <= y.clock()
		if first != fromA {
			fromA = first
			if switches++; switches > maxSwitches {
				return false
			}
		}
		if first {
			more = x.step()
		} else {
			more = y.step()
		}
	}
	return true
}

// reach returns the latest time of the packets f has ahead.
func reach(f *file) int64 {
	last := int64(noTime)
	for _, c := range f.ahead {
		for i := c.next; i < len(c.Packets); i++ {
			last = max(last, c.Packets[i].Time)
		}
	}
	return last
}
