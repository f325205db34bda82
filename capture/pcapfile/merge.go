package pcapfile

import (
	"math"

	"telltale/capture"
)

// mergedPackets is the most packets of a merged batch.
const mergedPackets = 4096

// advance replaces the content of b by the next packets of the merged stream and
// returns false at its end.
func (r *Reader) advance(b *capture.Batch) bool {
	for {
		b.Packets = b.Packets[:0]
		if len(r.active) == 0 && !r.begin() {
			return false
		}
		if f := r.active[0]; len(r.active) == 1 && len(f.ahead) == 0 {
			if r.direct(f, b) {
				return true
			}
			continue
		}
		r.refill()
		if len(r.active) == 0 || r.join() {
			continue
		}
		r.merge(b)
		if len(b.Packets) > 0 {
			return true
		}
	}
}

// begin makes the first waiting input active that can be opened.
func (r *Reader) begin() bool {
	for len(r.waiting) > 0 {
		f := r.prepare(r.waiting[0])
		r.waiting = r.waiting[1:]
		if f != nil {
			r.active = append(r.active, f)
			return true
		}
	}
	return false
}

// prepare opens an input, nil if that fails, and reports why.
func (r *Reader) prepare(in *input) *file {
	if in.file != nil {
		return in.file
	}
	f, ferr := openFile(in, r.conf.MaxPacket, &r.stats.read)
	if ferr != nil {
		in.seen.finished(ferr)
		r.report(ferr)
		return nil
	}
	in.file = f
	return f
}

// direct reads from the only active file into b. It returns false if b is not to be
// delivered, because the file has ended or because another may have to be begun first.
func (r *Reader) direct(f *file, b *capture.Batch) bool {
	if !f.fill(b) {
		r.retire(f)
		return false
	}
	if f.latest <= r.horizon() {
		return true
	}
	c := r.spare()
	c.Batch, *b = *b, c.Batch
	f.push(c)
	return false
}

// horizon is the time up to which packets can be delivered without beginning another file.
func (r *Reader) horizon() int64 {
	if len(r.waiting) == 0 || r.finish != nil || len(r.active) >= r.conf.MaxOpen {
		return math.MaxInt64
	}
	return r.waiting[0].first
}

// lookAhead reads until f has n chunks ahead or is at its end.
func (r *Reader) lookAhead(f *file, n int) {
	for len(f.ahead) < n && !f.done {
		c := r.spare()
		if f.fill(&c.Batch) {
			f.push(c)
		} else {
			r.free = append(r.free, c)
		}
	}
}

// refill looks ahead in every active file and retires those that have no more packets.
func (r *Reader) refill() {
	for i := 0; i < len(r.active); {
		f := r.active[i]
		if r.lookAhead(f, chunksAhead); len(f.ahead) == 0 {
			r.retire(f)
		} else {
			i++
		}
	}
}

// retire closes an active file that has been read.
func (r *Reader) retire(f *file) {
	for i, a := range r.active {
		if a == f {
			r.active = append(r.active[:i], r.active[i+1:]...)
			break
		}
	}
	if r.finish == f {
		r.finish = nil
	}
	f.close()
	f.seen.finished(f.fault)
	if f.fault != nil {
		r.report(f.fault)
	}
}

// join begins the first waiting input if its time has come, unless it only touches an
// active file, which is then finished first. It reports whether anything has changed.
func (r *Reader) join() bool {
	if r.earliest().clock <= r.horizon() {
		return false
	}
	in := r.waiting[0]
	f := r.prepare(in)
	if f == nil {
		r.waiting = r.waiting[1:]
		return true
	}
	r.lookAhead(f, chunksAhead)
	if len(f.ahead) > 0 {
		for _, a := range r.active {
			if touches(a, f) {
				r.finish = a
				return true
			}
		}
	}
	return r.begin()
}

// earliest returns the active file with the lowest clock, at a tie the one begun first.
func (r *Reader) earliest() *file {
	first := r.active[0]
	for _, f := range r.active[1:] {
		if f.clock < first.clock {
			first = f
		}
	}
	return first
}

// merge moves packets from what the active files have ahead to b, until b is full, a
// file has to be begun or one has to be looked ahead in again.
func (r *Reader) merge(b *capture.Batch) {
	limit := r.horizon()
	if f := r.active[0]; len(r.active) == 1 && f.ahead[0].next == 0 && f.ahead[0].latest <= limit {
		c := f.shift()
		c.Batch, *b = *b, c.Batch
		r.free = append(r.free, c)
		return
	}
	b.Buffer = sized(b.Buffer, max(chunkSize, r.conf.MaxPacket), 0)
	for room := b.Buffer; len(b.Packets) < mergedPackets; {
		f := r.earliest()
		c := f.ahead[0]
		p := c.Packets[c.next]
		if f.clock > limit || len(p.Data) > len(room) {
			return
		}
		n := copy(room, p.Data)
		p.Data, room = room[:n:n], room[n:]
		b.Packets = append(b.Packets, p)
		if c.next++; c.next == len(c.Packets) {
			r.free = append(r.free, f.shift())
			return
		}
		f.tick()
	}
}

// spare returns a chunk to fill.
func (r *Reader) spare() *chunk {
	if n := len(r.free); n > 0 {
		c := r.free[n-1]
		r.free = r.free[:n-1]
		return c
	}
	return &chunk{}
}
