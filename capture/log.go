package capture

// Log is an append-only list of Observations together with the memory they point
// into. It is filled by one goroutine, read, and reset; after it has grown to its
// working size it allocates nothing.
type Log struct {
	// Brief leaves out what only those need who keep Observations: JA4 fingerprints.
	Brief bool

	obs    slab[Observation]
	dns    slab[DNS]
	hellos slab[ClientHello]
	http   slab[HTTP]
	flows  slab[FlowState]
	certs  slab[Certificate]
	socks  slab[SOCKS]
	ids    slab[Identity]
	outer  slab[Tunnel]
	bytes  arena[byte]
	words  arena[uint16]
	lists  arena[[]byte]
	ans    arena[Answer]
	fields arena[IdentityField]
}

// Reset forgets all Observations. Everything handed out before is invalid.
func (l *Log) Reset() {
	l.obs.n, l.dns.n, l.hellos.n, l.http.n, l.flows.n = 0, 0, 0, 0, 0
	l.certs.n, l.socks.n = 0, 0
	l.ids.n, l.outer.n = 0, 0
	l.bytes.reset()
	l.words.reset()
	l.lists.reset()
	l.ans.reset()
	l.fields.reset()
}

// Len returns the number of Observations.
func (l *Log) Len() int { return l.obs.n }

// At returns the i-th Observation.
func (l *Log) At(i int) *Observation { return l.obs.at(i) }

// Truncate forgets the Observations from the n-th on, as when a message proves malformed.
func (l *Log) Truncate(n int) { l.obs.n = min(l.obs.n, n) }

// Add appends an empty Observation of protocol p and kind k, with the detail that
// belongs to p and k, and returns it.
func (l *Log) Add(p Proto, k Kind) *Observation {
	o := l.obs.next()
	o.Proto, o.Kind = p, k
	if k == Identify {
		o.ID = l.ids.next()
		return o
	}
	switch p {
	case ProtoDNS, ProtoMDNS, ProtoLLMNR:
		o.DNS = l.dns.next()
	case ProtoTLS, ProtoQUIC, ProtoDTLS:
		o.TLS = l.hellos.next()
	case ProtoHTTP:
		o.HTTP = l.http.next()
	case ProtoFlow:
		o.End = l.flows.next()
	case ProtoX509:
		o.Cert = l.certs.next()
	case ProtoSOCKS:
		o.SOCKS = l.socks.next()
	}
	return o
}

// Bytes returns n zero bytes of the log's memory.
func (l *Log) Bytes(n int) []byte { return l.bytes.take(n) }

// Copy returns b copied into the log's memory, nil if b is empty.
func (l *Log) Copy(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	d := l.bytes.take(len(b))
	copy(d, b)
	return d
}

// Words returns n zero uint16 of the log's memory.
func (l *Log) Words(n int) []uint16 { return l.words.take(n) }

// Lists returns n nil byte slices of the log's memory.
func (l *Log) Lists(n int) [][]byte { return l.lists.take(n) }

// Fields returns n empty IdentityFields of the log's memory.
func (l *Log) Fields(n int) []IdentityField { return l.fields.take(n) }

// Tunnel returns an empty Tunnel of the log's memory.
func (l *Log) Tunnel() *Tunnel { return l.outer.next() }

// Answers returns n empty Answers of the log's memory.
func (l *Log) Answers(n int) []Answer { return l.ans.take(n) }

const slabChunk = 64

// slab hands out zeroed values whose addresses stay valid while it grows.
type slab[T any] struct {
	chunks [][]T
	n      int
}

func (s *slab[T]) at(i int) *T { return &s.chunks[i/slabChunk][i%slabChunk] }

func (s *slab[T]) next() *T {
	if s.n == len(s.chunks)*slabChunk {
		s.chunks = append(s.chunks, make([]T, slabChunk))
	}
	v := s.at(s.n)
	s.n++
	var zero T
	*v = zero
	return v
}

// arena hands out zeroed runs of values; a run never moves.
type arena[T any] struct {
	blocks [][]T
	cur    int // block in use
	off    int // used in it
}

// arenaBlock is the length of an arena's first block; each further one is twice as long.
const arenaBlock = 64

func (a *arena[T]) reset() { a.cur, a.off = 0, 0 }

func (a *arena[T]) take(n int) []T {
	for a.cur < len(a.blocks) && a.off+n > len(a.blocks[a.cur]) {
		a.cur++
		a.off = 0
	}
	if a.cur == len(a.blocks) {
		a.blocks = append(a.blocks, make([]T, max(arenaBlock<<min(a.cur, 10), n)))
		a.off = 0
	}
	s := a.blocks[a.cur][a.off : a.off+n : a.off+n]
	a.off += n
	clear(s)
	return s
}
