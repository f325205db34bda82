package flow

import (
	"time"

	"telltale/capture"
	"telltale/capture/decode"
)

const (
	protoTCP = 6
	protoUDP = 17
)

// table is one shard: the flows whose hash falls to it, and all they need. It knows
// nothing of the other shards, so that its work depends on its packets alone.
type table struct {
	conf  Config
	max   int      // flows at most
	index []uint64 // open addressing: high half of the hash, entry number + 1; 0 is free
	flows entries
	free  []uint32 // numbers of unused entries
	live  int
	hand  int // next entry that the expiry looks at
	tick  uint32

	buffers buffers
	quic    quicCollectors
	// dtlsHellos are those of DTLS; few are in use, for hellos in fragments.
	dtlsHellos dtlsCollectors
	origins    origins
	identities identities
	tunnels    tunnels
	sequences  sequences // in use if the configuration asks for loss, or has bulk held back
	readers    readers
	reg        *registry
	stats      Stats
}

func newTable(conf Config, reg *registry) *table {
	t := &table{
		conf:  conf,
		max:   conf.MaxFlows / conf.Shards,
		index: make([]uint64, 1024),
		reg:   reg,
	}
	t.buffers = buffers{limit: max(conf.MaxAssembly/conf.Shards, conf.MaxMessage), message: conf.MaxMessage}
	t.readers.limit = max(maxReaders/conf.Shards, 1)
	t.quic.limit, t.dtlsHellos.limit = conf.MaxQUIC/conf.Shards, conf.MaxQUIC/conf.Shards
	return t
}

// find returns the flow of s and the side that sent it, nil if there is none.
func (t *table) find(s *decode.Segment, hash uint64) (*entry, int) {
	mask := uint64(len(t.index) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		slot := t.index[i]
		if slot == 0 {
			return nil, 0
		}
		if slot>>32 != hash>>32 {
			continue
		}
		e := t.flows.at(uint32(slot) - 1)
		if e.transport != s.Protocol {
			continue
		}
		if e.port[0] == s.SrcPort && e.port[1] == s.DstPort && e.addr[0] == s.Src && e.addr[1] == s.Dst {
			return e, 0
		}
		if e.port[1] == s.SrcPort && e.port[0] == s.DstPort && e.addr[1] == s.Src && e.addr[0] == s.Dst {
			return e, 1
		}
	}
}

// insert adds the flow that s begins, making room if there is none.
func (t *table) insert(s *decode.Segment, hash uint64, log *capture.Log) *entry {
	t.expire(s, log, 1)
	if t.live >= t.max {
		t.evict(s, log)
	}
	if 2*(t.live+1) > len(t.index) {
		t.grow()
	}
	n := t.take()
	e := t.flows.at(n)
	e.hash, e.n, e.used = hash, n, true
	t.begin(e, s)
	t.place(hash, n)
	t.live++
	t.stats.Flows++
	return e
}

// begin makes e the flow that starts with s.
func (t *table) begin(e *entry, s *decode.Segment) {
	hash, n := e.hash, e.n
	*e = entry{} // filled in place: a literal would be made elsewhere and copied
	e.hash, e.n, e.used = hash, n, true
	e.addr[0], e.addr[1] = s.Src, s.Dst
	e.port[0], e.port[1] = s.SrcPort, s.DstPort
	e.mac[0], e.mac[1] = s.SrcMAC, s.DstMAC
	e.vlan, e.transport = s.VLAN, s.Protocol
	e.id, e.last, e.start, e.seen = s.Packet, s.Packet, s.Time, s.Time
	if s.SrcPort < 1024 && s.DstPort >= 1024 {
		e.client = 1 // a guess until a SYN or a request says better
	}
	e.tunnel = t.tunnels.keep(s)
	t.sequences.begin(e.n)
}

func (t *table) take() uint32 {
	if n := len(t.free); n > 0 {
		i := t.free[n-1]
		t.free = t.free[:n-1]
		return i
	}
	return t.flows.add()
}

func (t *table) place(hash uint64, n uint32) {
	mask := uint64(len(t.index) - 1)
	i := hash & mask
	for t.index[i] != 0 {
		i = (i + 1) & mask
	}
	t.index[i] = hash>>32<<32 | uint64(n+1)
}

func (t *table) grow() {
	t.index = make([]uint64, 2*len(t.index))
	for i := range t.flows.n {
		if e := t.flows.at(i); e.used {
			t.place(e.hash, i)
		}
	}
}

// remove takes the flow numbered n out of the table, closing the gap in the probe run.
func (t *table) remove(n uint32) {
	mask := uint64(len(t.index) - 1)
	i := t.flows.at(n).hash & mask
	for uint32(t.index[i]) != n+1 {
		i = (i + 1) & mask
	}
	for j := (i + 1) & mask; t.index[j] != 0; j = (j + 1) & mask {
		home := t.flows.at(uint32(t.index[j])-1).hash & mask
		if (j-home)&mask >= (j-i)&mask {
			t.index[i] = t.index[j]
			i = j
		}
	}
	t.index[i] = 0
	t.flows.at(n).used = false
	t.free = append(t.free, n)
	t.live--
}

// idle returns the silence after which e ends.
func (t *table) idle(e *entry) time.Duration {
	switch {
	case e.transport != protoTCP:
		return t.conf.UDPIdle
	case e.closed():
		return t.conf.Closing
	}
	return t.conf.TCPIdle
}

// expire looks at the next n entries and ends those that were silent too long.
func (t *table) expire(s *decode.Segment, log *capture.Log, n int) {
	for range min(n, int(t.flows.n)) {
		t.hand++
		if t.hand >= int(t.flows.n) {
			t.hand = 0
		}
		e := t.flows.at(uint32(t.hand))
		if e.used && s.Time-e.seen > int64(t.idle(e)) {
			t.end(uint32(t.hand), s.Packet, log)
		}
	}
}

// evict ends the idlest of the next few flows.
func (t *table) evict(s *decode.Segment, log *capture.Log) {
	best, found := 0, 0
	for i := 0; i < int(t.flows.n) && found < 8; i++ {
		t.hand++
		if t.hand >= int(t.flows.n) {
			t.hand = 0
		}
		if !t.flows.at(uint32(t.hand)).used {
			continue
		}
		if found == 0 || t.flows.at(uint32(t.hand)).seen < t.flows.at(uint32(best)).seen {
			best = t.hand
		}
		found++
	}
	t.stats.Evicted++
	t.end(uint32(best), s.Packet, log)
}

// end reports the flow numbered n and forgets it.
func (t *table) end(n uint32, order uint64, log *capture.Log) {
	t.finish(t.flows.at(n), order, log)
	t.remove(n)
}

// finish reports e for the last time and gives its buffers back.
func (t *table) finish(e *entry, order uint64, log *capture.Log) {
	for side := range e.half {
		t.settle(e, side, order, log)
	}
	t.unfollow(e)
	t.settleQUIC(e, order, log)
	t.settleDTLS(e, order, log)
	o := log.Add(capture.ProtoFlow, capture.FlowEnd)
	t.describe(e, o)
	t.totals(e, o.End)
	if e.origin != 0 {
		t.origins.put(e.origin)
		e.origin = 0
	}
	o.Order = order
	t.tunnels.tell(o, e.tunnel, log)
	t.tunnels.drop(e.tunnel)
	e.tunnel = 0
}
