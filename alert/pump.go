package alert

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// pump brings Alerts to one Target.
type pump struct {
	Target
	conf    *DispatcherConfig
	sent    uint64 // all up to here was settled on the present connection
	sending []sending
	broken  []DeadLetter // of the batch: what cannot be read
	bodies  []byte       // of the batch
	handed  history
	rewound bool // and nothing was settled since
	failed  int  // Sends in a row without progress
	wake    chan struct{}
	moved   chan struct{}
	stop    context.CancelFunc // set when it is started
	last    atomic.Bool        // it ends when the Outbox has no more
	ended   chan struct{}      // closed at its end

	mu       sync.Mutex
	progress Progress
}

// sending is a record and where it comes from.
type sending struct {
	entry Entry
	body  [2]int // in pump.bodies
}

// maxPause bounds what a receiver may ask for with Retry-After.
const maxPause = time.Hour

var errNothingSettled = errors.New("the sink settled nothing and gave no reason: this is an error of the program, please report it")

// run sends until ctx is done.
func (p *pump) run(ctx context.Context) error {
	for ctx.Err() == nil {
		entries, err := p.conf.Outbox.Next(ctx, p.Name, p.sent, p.Batch)
		if err == nil && len(entries) > 0 {
			err = p.pass(ctx, entries)
		} else if err == nil {
			p.update(func(s *Progress) { s.Idle = true })
			if p.last.Load() {
				break
			}
			p.rest(ctx, p.conf.Poll, true)
		}
		if err != nil && ctx.Err() == nil {
			p.trouble(fmt.Errorf("the outbox: %w", err))
			p.rest(ctx, p.pause(), false)
		}
	}
	return p.close()
}

// close ends the connection. If that goes well nothing that was handed over is in doubt.
func (p *pump) close() error {
	if err := p.Sink.Close(); err != nil {
		return fmt.Errorf("closing sink %s: %w", p.Name, err)
	}
	if p.Window == (Window{}) || len(p.handed) == 0 {
		return nil
	}
	return p.conf.Outbox.Settle(context.Background(), p.Name, Settlement{UpTo: p.sent})
}

// pass sends entries and settles them as far as the sink came. Its error is the
// Outbox's.
func (p *pump) pass(ctx context.Context, entries []Entry) error {
	p.update(func(s *Progress) { s.Idle = false })
	records := p.encode(entries)
	out := Outcome{}
	if len(records) > 0 {
		out = p.Sink.Send(ctx, records)
	}
	done := min(max(out.Done, 0), len(records))
	last := entries[len(entries)-1].Seq
	if done < len(records) {
		last = p.sending[done].entry.Seq - 1
	}
	set := Settlement{Dead: p.dead(out.Refused, done, last)}
	p.settled(entries, done, last, &set)
	if err := p.conf.Outbox.Settle(ctx, p.Name, set); err != nil {
		return err
	}
	p.after(ctx, &out, done, len(records))
	return nil
}

// encode makes the records of those entries that the sink is given.
func (p *pump) encode(entries []Entry) []Record {
	p.sending, p.broken, p.bodies = p.sending[:0], p.broken[:0], p.bodies[:0]
	for _, e := range entries {
		if e.Err != nil {
			p.broken = append(p.broken, DeadLetter{Seq: e.Seq, Retry: e.Retry, Reason: e.Err.Error()})
			continue
		}
		if e.Retry == 0 && !p.Filter.Passes(e.Alert) {
			continue
		}
		from := len(p.bodies)
		p.bodies = p.Encode(p.bodies, e.Alert)
		p.sending = append(p.sending, sending{e, [2]int{from, len(p.bodies)}})
	}
	records := make([]Record, len(p.sending))
	for i, s := range p.sending {
		records[i] = Record{Alert: s.entry.Alert, Sensor: s.entry.Alert.Sensor, Body: p.bodies[s.body[0]:s.body[1]:s.body[1]]}
	}
	return records
}

// dead lists what goes to the dead letters: records that the receiver will never take,
// and what cannot be read, as far as the sink came.
func (p *pump) dead(list []Refusal, done int, last uint64) []DeadLetter {
	var dead []DeadLetter
	for _, r := range list {
		if r.Index >= 0 && r.Index < done {
			e := p.sending[r.Index].entry
			dead = append(dead, DeadLetter{Seq: e.Seq, Retry: e.Retry, Alert: e.Alert, Reason: r.Reason})
		}
	}
	for _, d := range p.broken {
		if d.Retry != 0 || d.Seq <= last {
			dead = append(dead, d)
		}
	}
	if len(dead) > 0 {
		p.conf.Tell(Event{Sink: p.Name, Refused: dead[0].Reason, Seq: dead[0].Seq, Count: len(dead)})
	}
	return dead
}

// settled notes in set what was settled: dead letters tried again, or a stretch of the
// sequence up to last.
func (p *pump) settled(entries []Entry, done int, last uint64, set *Settlement) {
	p.update(func(s *Progress) {
		s.Records += uint64(done)
		s.Refused += uint64(len(set.Dead))
	})
	if entries[0].Retry != 0 {
		dead := map[int64]bool{}
		for _, d := range set.Dead {
			dead[d.Retry] = true
		}
		for _, s := range p.sending[:done] {
			if !dead[s.entry.Retry] {
				set.Retried = append(set.Retried, s.entry.Retry)
			}
		}
		return
	}
	if last <= p.sent {
		return
	}
	if p.Window == (Window{}) {
		set.UpTo = last
	} else {
		set.UpTo = p.handed.add(p.sent, last, done, time.Now(), p.Window)
	}
	p.sent = last
	p.place()
}

// place makes known where p is.
func (p *pump) place() {
	p.update(func(s *Progress) { s.Sent = p.sent })
	signal(p.moved)
}

// after decides what to do about an Outcome: go on, go back, or pause.
func (p *pump) after(ctx context.Context, out *Outcome, done, all int) {
	err := out.Err
	switch {
	case done > 0:
		p.failed, p.rewound = 0, false
	case all == 0:
		return
	case out.Rewind && !p.rewound:
		p.rewound = true
		p.sent = p.handed.start(p.sent)
		p.place()
		return
	case err == nil && out.After == 0:
		err = errNothingSettled
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		p.trouble(err)
		p.rest(ctx, max(p.pause(), min(out.After, maxPause)), false)
	case out.After > 0:
		p.rest(ctx, min(out.After, maxPause), false)
	default:
		p.works()
	}
}

// trouble notes a failure and tells of the first of a row.
func (p *pump) trouble(err error) {
	first := p.state().Err == nil
	p.update(func(s *Progress) {
		s.Retries++
		s.Err = err
	})
	if first {
		p.conf.Tell(Event{Sink: p.Name, Err: err})
	}
}

// works notes that all goes well.
func (p *pump) works() {
	if p.state().Err == nil {
		return
	}
	p.update(func(s *Progress) { s.Err = nil })
	p.conf.Tell(Event{Sink: p.Name})
}

// pause returns how long to wait after a further failure: doubling, and never in step
// with other sensors.
func (p *pump) pause() time.Duration {
	limit := p.conf.MaxBackoff
	if p.failed < 20 {
		limit = min(limit, p.conf.Backoff<<p.failed)
	}
	p.failed++
	return limit/2 + rand.N(limit/2+1)
}

// rest waits, at most until ctx is done or, if it may be woken, for something new.
func (p *pump) rest(ctx context.Context, d time.Duration, wakes bool) {
	wake := p.wake
	if !wakes {
		wake = nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-wake:
	}
}

func (p *pump) state() Progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.progress
}

func (p *pump) update(change func(*Progress)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.progress)
}
