package flow

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"telltale/capture"
	"telltale/capture/decode"
)

// worker reads one source of a Live: it decodes, follows flows and hands on what they
// make.
type worker struct {
	live    *Live
	n       int
	src     capture.Source
	decoder *decode.Decoder
	queue   chan *parcel
	free    chan *parcel
	clock   atomic.Int64  // packet time up to which everything is in the queue
	turns   atomic.Uint64 // how often the source was asked for packets
	lost    atomic.Uint64 // Observations for which there was no room
	full    bool          // the queue was full the last time

	latest  int64 // packet time of the latest packet
	heardAt int64 // Clock at that moment
	sweptAt int64 // Clock at the last sweep

	mu    sync.Mutex
	state decode.Stats // guarded by mu
}

// parcel holds the Observations that one batch of packets made.
type parcel struct {
	log  capture.Log
	made []int64 // packet time at which each was made
	next int     // those before have been visited
}

// lastTime is the clock of a source that has ended.
const lastTime = math.MaxInt64

func newWorker(l *Live, n int, src capture.Source) *worker {
	w := &worker{live: l, n: n, src: src, decoder: decode.New(l.conf.Decode)}
	w.queue = make(chan *parcel, l.conf.Queue)
	w.free = make(chan *parcel, l.conf.Queue)
	for range l.conf.Queue {
		w.free <- new(parcel)
	}
	return w
}

// run reads until the source ends or ctx is done, and then what is left in the source.
func (w *worker) run(ctx context.Context) error {
	defer w.clock.Store(lastTime)
	defer w.snapshot()
	if begin := w.live.conf.Begin; begin != nil {
		if err := begin(w.n); err != nil {
			return fmt.Errorf("beginning worker %d: %w", w.n, err)
		}
	}
	var (
		batch    capture.Batch
		spare    parcel // takes what there is no room for
		deadline int64
	)
	for {
		now := w.live.conf.Clock()
		if ctx.Err() != nil {
			if deadline == 0 {
				deadline = now + int64(w.live.conf.Drain)
			}
			if now > deadline {
				return nil
			}
		}
		w.turns.Add(1)
		err := w.src.Next(&batch)
		switch {
		case err == nil:
		case endOf(err):
			return nil
		default:
			return fmt.Errorf("worker %d: reading packets: %w", w.n, err)
		}
		if len(batch.Packets) == 0 && deadline != 0 {
			return nil
		}
		p := w.take()
		if p == nil {
			p = &spare
		}
		p.log.Brief = !w.live.details.Load()
		w.follow(&batch, p)
		w.sweep(p)
		w.hand(p, p == &spare)
	}
}

// take returns a parcel to fill, nil if there is none within MaxWait. As long as the
// queue stays full it is not waited for again.
func (w *worker) take() *parcel {
	select {
	case p := <-w.free:
		w.full = false
		return p
	default:
	}
	if w.full {
		return nil
	}
	timer := time.NewTimer(w.live.conf.MaxWait)
	defer timer.Stop()
	select {
	case p := <-w.free:
		return p
	case <-timer.C:
		w.full = true
		return nil
	}
}

// follow decodes the packets of b and follows their flows.
func (w *worker) follow(b *capture.Batch, p *parcel) {
	if len(b.Packets) == 0 {
		return
	}
	l := w.live
	first := l.ordinal.Add(uint64(len(b.Packets))) - uint64(len(b.Packets)) + 1
	var seg decode.Segment
	for i := range b.Packets {
		k := &b.Packets[i]
		k.Ordinal = first + uint64(i)
		w.latest = max(w.latest, k.Time)
		reason := w.decoder.Decode(k, &seg)
		if !followed(reason) {
			continue
		}
		hash := seg.Hash(l.conf.Flow.Seed)
		s := l.shard(&seg, hash)
		s.mu.Lock()
		s.table.segment(&seg, hash, reason, &p.log)
		s.mu.Unlock()
		p.stamp(k.Time)
	}
	w.decoder.Release()
	w.heardAt = l.conf.Clock()
}

// stamp notes the time at which what is new in the log was made.
func (p *parcel) stamp(t int64) {
	for len(p.made) < p.log.Len() {
		p.made = append(p.made, t)
	}
}

// Sweeps look at all flows, an equal part each time.
const (
	sweepEvery = 100 * time.Millisecond
	sweepParts = 50
)

// sweep ends flows that were silent too long, also when no packet comes: packet time
// goes on as the clock does.
func (w *worker) sweep(p *parcel) {
	l := w.live
	clock := l.conf.Clock()
	if clock-w.sweptAt < int64(sweepEvery) || w.latest == 0 {
		return
	}
	w.sweptAt = clock
	now := w.now(clock)
	s := decode.Segment{Time: now, Packet: l.ordinal.Load()}
	for i := w.n; i < len(l.shards); i += len(l.workers) {
		h := l.shards[i]
		h.mu.Lock()
		h.table.expire(&s, &p.log, int(h.table.flows.n)/sweepParts+1)
		h.mu.Unlock()
	}
	p.stamp(now)
	w.snapshot()
}

// now is packet time at a moment of the clock.
func (w *worker) now(clock int64) int64 {
	return w.latest + max(clock-w.heardAt, 0)
}

// hand gives p to the goroutine that visits, or counts what is lost.
func (w *worker) hand(p *parcel, lost bool) {
	switch {
	case lost:
		w.lost.Add(uint64(p.log.Len()))
		p.reset()
	case p.log.Len() == 0:
		w.free <- p
	default:
		w.queue <- p
		select {
		case w.live.ready <- struct{}{}:
		default:
		}
	}
	if w.latest != 0 {
		// The packets of a source come in order, or no more than Lag late.
		w.clock.Store(max(w.latest, w.now(w.live.conf.Clock())-int64(w.live.conf.Lag)))
	}
}

func (p *parcel) reset() {
	p.log.Reset()
	p.made, p.next = p.made[:0], 0
}

// snapshot makes the decoder's counters readable by others.
func (w *worker) snapshot() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = w.decoder.Stats()
}
