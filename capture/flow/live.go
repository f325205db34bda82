package flow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/proto"
)

// LiveConfig sets how live sources are followed. The zero value of a field means its
// default; Sources and Clock must be set.
type LiveConfig struct {
	Flow   Config // Workers is not used: there is one for each source
	Decode decode.Config
	// Sources are read side by side, each by one goroutine.
	Sources []capture.Source
	// Clock returns the time, nanoseconds since 1970-01-01 UTC. It tells how much time
	// passes while no packet comes; the time itself is that of the packets.
	Clock func() int64
	// Tick, if set, is called now and then from the goroutine of Run with the packet
	// time that all sources have reached, 0 before the first packet, also when there is
	// nothing to visit.
	Tick func(now int64)
	// Steer, if set, numbers a flow by its endpoints, less than Flow.Shards. Sources
	// whose packets were dealt out by the same numbers seldom wait for each other.
	Steer func(src, dst *[16]byte, sport, dport uint16) uint32
	// Begin, if set, is called first in the goroutine that reads source i.
	Begin func(i int) error
	// Queue is the number of batches whose Observations may wait to be visited, for each
	// source. Default 32.
	Queue int
	// MaxWait is how long a source waits for room in its queue before Observations are
	// lost. Default 50 ms.
	MaxWait time.Duration
	// Lag is how much later than its time a packet is delivered at most by a source
	// that has room. Default 100 ms.
	Lag time.Duration
	// MaxSkew is how long Observations wait for those of other sources that may be
	// earlier. Default 250 ms.
	MaxSkew time.Duration
	// Drain is how long after the end of Run's context what was captured is still read.
	// Default 2 s.
	Drain time.Duration
}

func (c LiveConfig) withDefaults() LiveConfig {
	if c.Flow.Shards == 0 {
		c.Flow.Shards = 16
		for c.Flow.Shards < 4*len(c.Sources) && c.Flow.Shards < 256 {
			c.Flow.Shards *= 2
		}
	}
	c.Flow.Workers = 1
	c.Flow = c.Flow.withDefaults()
	if c.Queue == 0 {
		c.Queue = 32
	}
	for v, d := range map[*time.Duration]time.Duration{
		&c.MaxWait: 50 * time.Millisecond, &c.Lag: 100 * time.Millisecond, &c.MaxSkew: 250 * time.Millisecond, &c.Drain: 2 * time.Second,
	} {
		if *v == 0 {
			*v = d
		}
	}
	return c
}

// Validate returns all that is wrong with c, nil if nothing is.
func (c LiveConfig) Validate() error {
	c = c.withDefaults()
	errs := []error{c.Flow.Validate(), c.Decode.Validate()}
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("flow: "+format, args...))
		}
	}
	check(len(c.Sources) > 0 && len(c.Sources) <= 256, "there must be 1 to 256 sources, not %d", len(c.Sources))
	check(c.Clock != nil, "there is no clock")
	check(c.Queue >= 1 && c.Queue <= 1024, "the queue must be 1 to 1024 batches, not %d", c.Queue)
	check(c.MaxWait > 0 && c.Lag > 0 && c.MaxSkew > 0 && c.Drain > 0, "waits must be positive")
	return errors.Join(errs...)
}

// Live follows the flows of packets as they come, from several sources at once.
type Live struct {
	conf    LiveConfig
	shards  []*shard
	workers []*worker
	ordinal atomic.Uint64
	details atomic.Bool   // as Config.Details, and SetDetails
	ready   chan struct{} // some queue has something; never blocks
	inOrder merging
}

// shard is a part of the flow table that any worker may use.
type shard struct {
	mu    sync.Mutex
	table *table // guarded by mu
}

// NewLive returns a Live that has not begun.
func NewLive(conf LiveConfig) (*Live, error) {
	if err := conf.Validate(); err != nil {
		return nil, err
	}
	l := &Live{conf: conf.withDefaults(), ready: make(chan struct{}, 1)}
	reg := newRegistry(proto.Streams(), proto.Datagrams(), proto.Messages())
	for range l.conf.Flow.Shards {
		l.shards = append(l.shards, &shard{table: newTable(l.conf.Flow, reg)})
	}
	for i, src := range l.conf.Sources {
		l.workers = append(l.workers, newWorker(l, i, src))
	}
	l.details.Store(l.conf.Flow.Details)
	l.inOrder = merging{workers: l.workers, heads: make([]*parcel, len(l.workers))}
	return l, nil
}

// SetDetails is Config.Details from now on. It may be called while Run runs.
func (l *Live) SetDetails(on bool) {
	l.details.Store(on)
	for _, s := range l.shards {
		s.mu.Lock()
		s.table.conf.Details = on
		s.mu.Unlock()
	}
}

// Run follows the sources until all have ended, one has failed or ctx is done, and
// visits their Observations in one goroutine, this one, in the order of packet time as
// far as sources can be put in order. The Observation is valid only during the call.
// At the end every flow is reported.
func (l *Live) Run(ctx context.Context, visit func(*capture.Observation) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	ended := make(chan error, len(l.workers))
	for _, w := range l.workers {
		wg.Go(func() {
			err := w.run(ctx)
			if err != nil {
				stop()
			}
			ended <- err
		})
	}
	err := l.deliver(ctx, stop, ended, visit)
	// The queues are emptied while the workers end, so that none waits for room.
	for left := true; left; {
		left = l.inOrder.any()
		err = errors.Join(err, l.inOrder.visit(lastTime, visit))
	}
	wg.Wait()
	return errors.Join(err, l.flush(visit))
}

// deliver visits what the workers make until all have ended.
func (l *Live) deliver(ctx context.Context, stop func(), ended <-chan error, visit func(*capture.Observation) error) error {
	var failed error
	timer := time.NewTicker(lookEvery)
	defer timer.Stop()
	for running := len(l.workers); running > 0; {
		select {
		case err := <-ended:
			running--
			failed = errors.Join(failed, err)
		case <-l.ready:
		case <-timer.C:
		}
		reached := l.reached()
		if err := l.inOrder.visit(l.mayVisit(reached), visit); err != nil && failed == nil {
			failed = err
			visit = func(*capture.Observation) error { return nil }
			stop()
		}
		if l.conf.Tick != nil && reached != lastTime {
			l.conf.Tick(reached)
		}
	}
	return failed
}

// lookEvery is how often Run looks whether waiting Observations can be visited.
const lookEvery = 20 * time.Millisecond

// reached returns the packet time before which no source has anything left to deliver.
func (l *Live) reached() int64 {
	first, latest := int64(lastTime), int64(0)
	for _, w := range l.workers {
		t := w.clock.Load()
		first = min(first, t)
		if t != lastTime {
			latest = max(latest, t)
		}
	}
	// A source that lags behind is not waited for beyond MaxSkew.
	if late := latest - int64(l.conf.MaxSkew); first < late {
		return late
	}
	return first
}

// mayVisit returns up to what packet time Observations are to be visited: one source
// alone is always in order, and a queue that fills up is worse than a wrong order.
func (l *Live) mayVisit(reached int64) int64 {
	if len(l.workers) == 1 {
		return lastTime
	}
	for i, w := range l.workers {
		if p := l.inOrder.head(i); p != nil && len(w.free) <= cap(w.free)/2 {
			reached = max(reached, p.made[len(p.made)-1])
		}
	}
	return reached
}

// flush ends every flow.
func (l *Live) flush(visit func(*capture.Observation) error) error {
	r := runner{visit: visit}
	for _, s := range l.shards {
		r.shards = append(r.shards, s.table)
	}
	return r.flush()
}

// shard returns the part of the table that a segment belongs to.
func (l *Live) shard(s *decode.Segment, hash uint64) *shard {
	n := uint32(hash >> 20)
	if l.conf.Steer != nil {
		n = l.conf.Steer(&s.Src, &s.Dst, s.SrcPort, s.DstPort)
	}
	return l.shards[int(n)&(len(l.shards)-1)]
}

// endOf says that an error of a source is its end.
func endOf(err error) bool { return errors.Is(err, io.EOF) }
