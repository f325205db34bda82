package flow

import (
	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/proto"
)

// readers read the directions in which a message is understood only with those before
// it, of one shard. Beyond the limit further ones are not read, and counted.
type readers struct {
	limit int
	all   map[uint64]*reading // by number of the flow
}

// maxReaders is the number of readers of all shards, each with a table of up to 16 KiB.
const maxReaders = 1024

// reading is one such direction.
type reading struct {
	reader proto.Reader
	side   int
	at     uint32 // sequence number where the next message begins
}

// follow begins to read the direction of side, whose next message begins at seq.
func (t *table) follow(e *entry, side int, p *proto.Stream, seq uint32) {
	if t.readers.all[e.id] == nil && len(t.readers.all) >= t.readers.limit {
		t.stats.ReadersFull++
		e.half[side].shut = true
		return
	}
	if t.readers.all == nil {
		t.readers.all = make(map[uint64]*reading)
	}
	t.readers.all[e.id] = &reading{p.Reader(), side, seq}
	e.set(flagRead)
}

// unfollow forgets what read a direction of e.
func (t *table) unfollow(e *entry) {
	if e.has(flagRead) {
		delete(t.readers.all, e.id)
		e.flags &^= flagRead
	}
}

// reading returns what reads the direction of side, nil if nothing does.
func (t *table) reading(e *entry, side int) *reading {
	if !e.has(flagRead) {
		return nil
	}
	if r := t.readers.all[e.id]; r.side == side {
		return r
	}
	return nil
}

// next reads the message that begins with b at seq. What lies before the next message
// was read, or is passed over; bytes behind its beginning say that it was lost, and that
// ends reading.
func (t *table) next(e *entry, r *reading, seq uint32, b []byte, last bool, s *decode.Segment, log *capture.Log) (int, proto.Status) {
	if int32(seq-r.at) < 0 {
		return 0, proto.Reject
	}
	n, status, mark := 0, proto.Reject, log.Len()
	if seq == r.at {
		n, status = r.reader.Read(b, last, log)
	}
	if status == proto.Reject {
		log.Truncate(mark)
		t.unfollow(e)
		e.half[r.side].shut = true
		return 0, status
	}
	if !status.Waits() {
		r.at = seq + uint32(n)
	}
	for i := mark; i < log.Len(); i++ {
		t.learn(e, log.At(i))
	}
	t.stamp(e, s, log, mark)
	return n, status
}
