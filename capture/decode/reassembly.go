package decode

import "math"

const (
	maxDatagram = math.MaxUint16 // bytes of a datagram that has a valid length
	blockBytes  = 8              // the unit of fragment offsets
)

// FragmentStats counts what became of IP fragments and of the datagrams they belong
// to. Every datagram begun ends as Complete, TimedOut, Evicted, Overlapping or
// NoRoom, or is among Held.
type FragmentStats struct {
	Fragments uint64 // fragments seen that are worth reassembly
	Duplicate uint64 // fragments that brought nothing new
	Malformed uint64 // fragments that are empty, ill cut, beyond the end or too far out
	Cut       uint64 // fragments not captured whole (snap length)
	Late      uint64 // fragments of a datagram given up as Overlapping

	Begun       uint64 // datagrams of which a fragment was stored
	Complete    uint64 // datagrams put together
	TimedOut    uint64 // datagrams incomplete after Config.Timeout, noticed at a later fragment
	Evicted     uint64 // datagrams forgotten to make room
	Overlapping uint64 // IPv6 datagrams given up because fragments overlap
	NoRoom      uint64 // whole datagrams lost because Release was not called in time

	Held      int // incomplete datagrams now
	HeldBytes int // memory in use for their fragments, in bytes
}

// datagramKey says which fragments belong together (RFC 791 §3.2, RFC 8200 §4.5).
type datagramKey struct {
	src, dst [16]byte
	id       uint32
	vlan     uint16
	protocol uint8 // IPv4 only
	v6       bool
	path     path
}

// path is the tunnel a fragment came through: private addresses recur in others.
type path struct {
	src, dst [16]byte
	id       uint32
	tunnel   Tunnel
}

func pathOf(s *Segment) path {
	return path{src: s.OuterSrc, dst: s.OuterDst, id: s.TunnelID, tunnel: s.Tunnel}
}

// piece is one fragment.
type piece struct {
	offset int
	data   []byte
	next   uint8 // protocol, or type of the first header
	more   bool
}

func (p *piece) end() int { return p.offset + len(p.data) }

// valid says whether p can be part of a datagram. The limit leaves no room for
// reassembled headers; what relies on that is an attack.
func (p *piece) valid() bool {
	return len(p.data) > 0 && p.end() <= maxDatagram && (!p.more || len(p.data)%blockBytes == 0)
}

// datagram is one being put together.
type datagram struct {
	key          datagramKey
	start        int64                 // time of the first fragment that came
	pages        [pagesPerDatagram]int // page number + 1, 0 is none
	blocks       int                   // blocks held
	end          int                   // end of the data held
	total        int                   // length, -1 until the last fragment came
	chain        int                   // next in its hash chain, + 1
	older, newer int                   // neighbours in order of start of reassembly, + 1
	next         uint8                 // type of the first header, from the first fragment
	overlapped   bool                  // given up; remembered to refuse what is still to come
}

func blocks(n int) int { return (n + blockBytes - 1) / blockBytes }

func (g *datagram) complete() bool { return g.total >= 0 && g.blocks == blocks(g.total) }

// fits says whether p agrees with what is known of the length of g.
func (g *datagram) fits(p *piece) bool {
	if g.total >= 0 && (p.end() > g.total || !p.more && p.end() != g.total) {
		return false
	}
	return p.more || p.end() >= g.end
}

// reassembler puts fragments together. Where IPv4 fragments overlap, the data that
// came first wins; IPv6 datagrams with overlaps are given up with all that is still
// to come of them (RFC 5722 §4). Exact duplicates do no harm in either.
type reassembler struct {
	table
	pages pages
	out   outputs
	stats FragmentStats
}

func (r *reassembler) setUp(conf Config) {
	r.table.setUp(conf)
	r.pages.max = conf.MaxBytes / pageBytes
	r.out.max = conf.MaxBytes / outputBytes
}

func (r *reassembler) state() FragmentStats {
	s := r.stats
	s.Held = r.live
	s.HeldBytes = r.pages.used() * pageBytes
	return s
}

// refuseCut counts a fragment that cannot be used since its end was not captured.
func (r *reassembler) refuseCut() {
	r.stats.Fragments++
	r.stats.Cut++
}

// add takes the fragment p of datagram k at time now. If that completes it, the
// result is OK, its data and the type of its first header.
func (r *reassembler) add(k *datagramKey, now int64, p piece) (uint8, []byte, Reason) {
	r.stats.Fragments++
	r.expire(now)
	if !p.valid() {
		r.stats.Malformed++
		return 0, nil, FragmentDropped
	}
	n := r.open(k, now)
	g := r.at(n)
	if !r.accept(n, &p) {
		return 0, nil, FragmentDropped
	}
	if !g.complete() {
		return 0, nil, FragmentHeld
	}
	next, data := g.next, r.assemble(g)
	r.forget(n)
	if data == nil {
		r.stats.NoRoom++
		return 0, nil, FragmentDropped
	}
	r.stats.Complete++
	return next, data, OK
}

// open returns the number of the datagram k, begun now if there is none.
func (r *reassembler) open(k *datagramKey, now int64) int {
	if n := r.find(k); n >= 0 {
		if !r.stale(r.at(n), now) {
			return n
		}
		r.timeOut(n)
	}
	if r.full() {
		r.evict(-1)
	}
	r.stats.Begun++
	return r.insert(k, now)
}

// accept stores p in datagram n unless there is something against it.
func (r *reassembler) accept(n int, p *piece) bool {
	g := r.at(n)
	if g.overlapped {
		r.stats.Late++
		return false
	}
	if !g.fits(p) {
		r.stats.Malformed++
		r.overlap(g)
		return false
	}
	held := r.held(g, p)
	if held == blocks(len(p.data)) && (p.more || g.total >= 0) && (!g.key.v6 || r.same(g, p)) {
		r.stats.Duplicate++
		return false
	}
	if held > 0 && g.key.v6 {
		r.overlap(g)
		return false
	}
	r.store(n, p)
	return true
}

// overlap gives up g if it is an IPv6 datagram.
func (r *reassembler) overlap(g *datagram) {
	if !g.key.v6 {
		return
	}
	r.stats.Overlapping++
	r.pages.free(&g.pages)
	g.overlapped = true
}

// expire gives up the datagrams that were begun too long before now.
func (r *reassembler) expire(now int64) {
	for n := r.oldest(); n >= 0 && r.stale(r.at(n), now); n = r.oldest() {
		r.timeOut(n)
	}
}

func (r *reassembler) timeOut(n int) {
	if !r.at(n).overlapped {
		r.stats.TimedOut++
	}
	r.forget(n)
}

// evict gives up the oldest datagram other than the one numbered keep.
func (r *reassembler) evict(keep int) {
	n := r.oldest()
	if n == keep {
		n = r.at(n).newer - 1
	}
	if !r.at(n).overlapped {
		r.stats.Evicted++
	}
	r.forget(n)
}

func (r *reassembler) forget(n int) {
	r.pages.free(&r.at(n).pages)
	r.remove(n)
}
