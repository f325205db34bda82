package flow

import "bytes"

// buffers is the pool of assembly buffers of one shard, bounded in bytes.
type buffers struct {
	limit   int // bytes of all buffers at most
	message int // bytes of one buffer at most
	held    int // bytes of all buffers in use
	all     []buffer
	free    []uint32
	memory  memory
}

// buffer collects one direction's bytes from base on, where they may come in any
// order. Of bytes that come twice the first ones stay.
type buffer struct {
	base  uint32 // sequence number of data[0]
	data  []byte // as far as anything was put; holes are not yet valid
	have  int    // contiguous bytes from the start
	spans []span // what is there beyond have, sorted, apart
	// differs says that bytes came twice and were not the same.
	differs bool
}

type span struct{ from, to int }

// maxAhead is how far beyond the contiguous bytes a segment is kept: reordering stays
// within a window, what is further off followed a loss.
const maxAhead = 16 << 10

// maxSpans bounds the holes of one buffer; more is not a reordered hello.
const maxSpans = 16

// get returns an empty buffer's number + 1 for bytes from sequence number base on.
func (p *buffers) get(base uint32) uint32 {
	var n uint32
	if k := len(p.free); k > 0 {
		n = p.free[k-1]
		p.free = p.free[:k-1]
	} else {
		p.all = append(p.all, buffer{})
		n = uint32(len(p.all) - 1)
	}
	b := &p.all[n]
	*b = buffer{base: base, spans: b.spans[:0]}
	return n + 1
}

func (p *buffers) at(n uint32) *buffer { return &p.all[n-1] }

func (p *buffers) put(n uint32) {
	b := p.at(n)
	p.held -= cap(b.data)
	p.memory.put(b.data)
	b.data = nil
	p.free = append(p.free, n-1)
}

// fault says why bytes could not be put.
type fault uint8

const (
	faultNone  fault = iota
	faultFull        // the pool's bytes are used up
	faultBig         // the message is larger than a buffer may be
	faultHoles       // too many holes
)

// add puts v at sequence number seq into buffer n. If it does not fit into one message,
// the part that does is put.
func (p *buffers) add(n, seq uint32, v []byte) fault {
	b := p.at(n)
	from := int(int32(seq - b.base))
	if from < 0 {
		if -from >= len(v) {
			return faultNone
		}
		v, from = v[-from:], 0
	}
	to := from + len(v)
	switch {
	case from > b.have+maxAhead:
		return faultHoles
	case from >= p.message:
		return faultBig
	}
	whole := to <= p.message
	if !whole {
		to = p.message
		v = v[:to-from]
	}
	f := p.reserve(b, to)
	if f == faultNone {
		f = b.fill(from, to, v)
	}
	if f == faultNone && !whole {
		return faultBig
	}
	return f
}

// reserve makes b.data hold n bytes.
func (p *buffers) reserve(b *buffer, n int) fault {
	if n <= len(b.data) {
		return faultNone
	}
	if n > cap(b.data) {
		size := min(blockSize(n), p.message)
		if p.held-cap(b.data)+size > p.limit {
			return faultFull
		}
		p.held += size - cap(b.data)
		grown := p.memory.get(size)
		copy(grown, b.data)
		p.memory.put(b.data)
		b.data = grown
	}
	b.data = b.data[:n]
	return faultNone
}

// fill copies v to [from,to) where nothing is yet and joins the spans.
func (b *buffer) fill(from, to int, v []byte) fault {
	at := max(from, b.have)
	b.compare(from, at, from, v)
	for i := 0; at < to; i++ {
		end := to
		if i < len(b.spans) {
			end = min(end, b.spans[i].from)
		}
		if at < end {
			copy(b.data[at:end], v[at-from:end-from])
		}
		if i >= len(b.spans) {
			break
		}
		b.compare(max(at, b.spans[i].from), b.spans[i].to, from, v)
		at = max(at, b.spans[i].to)
	}
	if from <= b.have {
		b.have = max(b.have, to)
		b.absorb()
		return faultNone
	}
	return b.note(from, to)
}

// compare holds what is at [lo,hi) against v, which lies at from. A single byte proves
// nothing: keep-alive probes repeat one with any value.
func (b *buffer) compare(lo, hi, from int, v []byte) {
	hi = min(hi, from+len(v))
	if len(v) > 1 && lo < hi && !bytes.Equal(b.data[lo:hi], v[lo-from:hi-from]) {
		b.differs = true
	}
}

// absorb moves have over the spans it has reached.
func (b *buffer) absorb() {
	n := 0
	for n < len(b.spans) && b.spans[n].from <= b.have {
		b.have = max(b.have, b.spans[n].to)
		n++
	}
	b.spans = b.spans[:copy(b.spans, b.spans[n:])]
}

// note adds [from,to) to the spans, joining those it touches.
func (b *buffer) note(from, to int) fault {
	i := 0
	for i < len(b.spans) && b.spans[i].to < from {
		i++
	}
	j := i
	for j < len(b.spans) && b.spans[j].from <= to {
		from, to = min(from, b.spans[j].from), max(to, b.spans[j].to)
		j++
	}
	if i == j {
		if len(b.spans) == maxSpans {
			return faultHoles
		}
		b.spans = append(b.spans, span{})
		copy(b.spans[i+1:], b.spans[i:])
	} else {
		b.spans = b.spans[:i+1+copy(b.spans[i+1:], b.spans[j:])]
	}
	b.spans[i] = span{from, to}
	return faultNone
}

// consume drops the first n contiguous bytes.
func (b *buffer) consume(n int) {
	b.data = b.data[:copy(b.data, b.data[n:])]
	b.base += uint32(n)
	b.have -= n
	for i := range b.spans {
		b.spans[i].from -= n
		b.spans[i].to -= n
	}
}
