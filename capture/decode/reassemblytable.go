package decode

import "hash/maphash"

// table finds incomplete datagrams by key and keeps them in order of their
// beginning. Its hash is seeded at random, against crafted collisions; nothing but
// the time of a look-up depends on it.
type table struct {
	seed      maphash.Seed
	chains    []int // number of the first datagram of each hash chain, + 1
	datagrams []datagram
	idle      []int // numbers of unused datagrams
	live      int
	max       int
	timeout   int64
	first     int // number of the oldest datagram, + 1
	last      int // number of the newest, + 1
}

func (t *table) setUp(conf Config) {
	t.seed = maphash.MakeSeed()
	t.max = conf.MaxDatagrams
	t.timeout = int64(conf.Timeout)
	size := 1
	for size < t.max {
		size *= 2
	}
	t.chains = make([]int, size)
}

func (t *table) at(n int) *datagram { return &t.datagrams[n] }

func (t *table) full() bool { return t.live == t.max }

// oldest returns the number of the datagram begun first, -1 if there is none.
func (t *table) oldest() int { return t.first - 1 }

// stale says whether g has had its time; a clock that was set back counts too.
func (t *table) stale(g *datagram, now int64) bool {
	age := now - g.start
	return age > t.timeout || age < -t.timeout
}

func (t *table) chain(k *datagramKey) *int {
	return &t.chains[maphash.Comparable(t.seed, *k)&uint64(len(t.chains)-1)]
}

// find returns the number of the datagram with key k, -1 if there is none.
func (t *table) find(k *datagramKey) int {
	n := *t.chain(k) - 1
	for n >= 0 && t.at(n).key != *k {
		n = t.at(n).chain - 1
	}
	return n
}

// insert adds an empty datagram with key k, which must not be there, and returns
// its number.
func (t *table) insert(k *datagramKey, now int64) int {
	n := t.take()
	chain := t.chain(k)
	*t.at(n) = datagram{key: *k, start: now, total: -1, chain: *chain, older: t.last}
	*chain = n + 1
	if t.last != 0 {
		t.at(t.last - 1).newer = n + 1
	} else {
		t.first = n + 1
	}
	t.last = n + 1
	t.live++
	return n
}

func (t *table) take() int {
	if i := len(t.idle); i > 0 {
		n := t.idle[i-1]
		t.idle = t.idle[:i-1]
		return n
	}
	t.datagrams = append(t.datagrams, datagram{})
	return len(t.datagrams) - 1
}

// remove takes datagram n out; its pages must have been given back.
func (t *table) remove(n int) {
	g := t.at(n)
	link := t.chain(&g.key)
	for *link != n+1 {
		link = &t.at(*link - 1).chain
	}
	*link = g.chain
	if g.older != 0 {
		t.at(g.older - 1).newer = g.newer
	} else {
		t.first = g.newer
	}
	if g.newer != 0 {
		t.at(g.newer - 1).older = g.older
	} else {
		t.last = g.older
	}
	t.idle = append(t.idle, n)
	t.live--
}
