package decode

// span is the part of a piece that falls into one page of its datagram.
type span struct {
	page, offset int // page of the datagram, place in it
	data         []byte
}

// cut takes the first span off the data of a piece that begins at offset.
func cut(offset int, data []byte) (span, int, []byte) {
	in := offset % pageBytes
	n := min(len(data), pageBytes-in)
	return span{offset / pageBytes, in, data[:n]}, offset + n, data[n:]
}

// held returns how many of the blocks p covers are there already.
func (r *reassembler) held(g *datagram, p *piece) int {
	sum := 0
	var s span
	for offset, data := p.offset, p.data; len(data) > 0; {
		s, offset, data = cut(offset, data)
		if id := g.pages[s.page]; id != 0 {
			sum += r.pages.at(id).held(s.offset/blockBytes, blocks(len(s.data)))
		}
	}
	return sum
}

// same says whether the data of p, all of which is held, is what is held.
func (r *reassembler) same(g *datagram, p *piece) bool {
	var s span
	for offset, data := p.offset, p.data; len(data) > 0; {
		s, offset, data = cut(offset, data)
		if !r.pages.at(g.pages[s.page]).equal(s.offset, s.data) {
			return false
		}
	}
	return true
}

// store adds to datagram n what of p is not held yet.
func (r *reassembler) store(n int, p *piece) {
	g := r.at(n)
	var s span
	for offset, data := p.offset, p.data; len(data) > 0; {
		s, offset, data = cut(offset, data)
		if g.pages[s.page] == 0 {
			g.pages[s.page] = r.page(n)
		}
		g.blocks += r.pages.at(g.pages[s.page]).put(s.offset, s.data)
	}
	g.end = max(g.end, p.end())
	if !p.more {
		g.total = p.end()
	}
	if p.offset == 0 {
		g.next = p.next
	}
}

// page returns a page for datagram n, at the expense of older datagrams if need be.
// Config.MaxBytes holds more than one datagram, so that there is an older one.
func (r *reassembler) page(n int) int {
	for {
		if id := r.pages.take(); id != 0 {
			return id
		}
		r.evict(n)
	}
}

// assemble returns the data of the complete datagram g, nil if there is no room.
func (r *reassembler) assemble(g *datagram) []byte {
	out := r.out.take(g.total)
	for done := 0; done < len(out); done += pageBytes {
		copy(out[done:], r.pages.at(g.pages[done/pageBytes]).data[:])
	}
	return out
}
