package flow

import (
	"context"
	"slices"
	"sync"

	"telltale/capture"
	"telltale/capture/decode"
)

// round is one batch on its way: decoded by the reader, followed by all workers at
// once, delivered in order.
type round struct {
	batch capture.Batch
	jobs  []job          // what was decoded of the batch
	work  [][]int32      // per worker: its places in jobs
	logs  []*capture.Log // per worker
	left  sync.WaitGroup
	moved []byte // payloads that do not lie in the batch
	err   error  // of reading, after the packets of this round
	last  bool
}

type job struct {
	seg    decode.Segment
	hash   uint64
	reason decode.Reason
}

// rounds is how many batches are on their way at once.
const rounds = 4

// together decodes in one goroutine, follows flows in the workers and visits here.
func (r *runner) together(ctx context.Context) error {
	n := r.conf.Workers
	free, ready := make(chan *round, rounds), make(chan *round, rounds)
	for range rounds {
		free <- r.newRound()
	}
	queues := make([]chan *round, n)
	var wg sync.WaitGroup
	for w := range n {
		queues[w] = make(chan *round, rounds)
		wg.Go(func() { r.work(w, queues[w]) })
	}
	wg.Go(func() { r.read(ctx, free, ready, queues) })
	var failed error
	for rd := range ready {
		rd.left.Wait()
		if failed == nil {
			failed = merge(rd.logs, r.visit)
		}
		if failed == nil {
			failed = rd.err
		}
		if failed != nil {
			rd.last = true
		}
		free <- rd
	}
	wg.Wait()
	return failed
}

func (r *runner) newRound() *round {
	n := r.conf.Workers
	rd := &round{work: make([][]int32, n), logs: make([]*capture.Log, n)}
	for i := range rd.logs {
		rd.logs[i] = &capture.Log{Brief: !r.conf.Details}
	}
	return rd
}

// read fills rounds until the source ends or a round comes back marked last.
func (r *runner) read(ctx context.Context, free <-chan *round, ready chan<- *round, queues []chan *round) {
	defer func() {
		close(ready)
		for _, q := range queues {
			close(q)
		}
	}()
	for rd := range free {
		if rd.last {
			return
		}
		var done bool
		if done, rd.err = r.next(ctx, &rd.batch); done && rd.err == nil {
			return
		}
		rd.last = done
		r.share(rd, done)
		rd.left.Add(len(queues))
		for _, q := range queues {
			q <- rd
		}
		ready <- rd
		if done {
			return
		}
	}
}

// share decodes the batch and deals the segments to the workers; none if it is empty.
func (r *runner) share(rd *round, empty bool) {
	rd.moved, rd.jobs = rd.moved[:0], rd.jobs[:0]
	for w := range rd.work {
		rd.work[w] = rd.work[w][:0]
	}
	if empty {
		return
	}
	rd.jobs = slices.Grow(rd.jobs, len(rd.batch.Packets))
	for i := range rd.batch.Packets {
		at := len(rd.jobs)
		j := &rd.jobs[:at+1][at]
		j.reason = r.decoder.Decode(&rd.batch.Packets[i], &j.seg)
		if !followed(j.reason) {
			continue
		}
		if j.seg.Reassembled {
			at := len(rd.moved)
			rd.moved = append(rd.moved, j.seg.Payload...)
			j.seg.Payload = rd.moved[at:len(rd.moved):len(rd.moved)]
		}
		j.hash = j.seg.Hash(r.conf.Seed)
		w := r.shard(j.hash) % len(rd.work)
		rd.work[w] = append(rd.work[w], int32(at))
		rd.jobs = rd.jobs[:at+1]
	}
	r.decoder.Release()
}

// work follows the segments of the shards that fall to worker w.
func (r *runner) work(w int, queue <-chan *round) {
	for rd := range queue {
		log := rd.logs[w]
		log.Reset()
		for _, at := range rd.work[w] {
			j := &rd.jobs[at]
			r.shards[r.shard(j.hash)].segment(&j.seg, j.hash, j.reason, log)
		}
		rd.left.Done()
	}
}

// merge visits the Observations of all logs by their Order. What one packet made lies
// in one log, so ties do not occur between logs.
func merge(logs []*capture.Log, visit func(*capture.Observation) error) error {
	at := make([]int, len(logs))
	for {
		best := -1
		for i, l := range logs {
			if at[i] < l.Len() && (best < 0 || l.At(at[i]).Order < logs[best].At(at[best]).Order) {
				best = i
			}
		}
		if best < 0 {
			return nil
		}
		if err := visit(logs[best].At(at[best])); err != nil {
			return err
		}
		at[best]++
	}
}
