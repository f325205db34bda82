package alert

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Dispatcher brings what is in an Outbox to the sinks: to each in order and at least
// once. A sink that hangs or fails holds up no other.
type Dispatcher struct {
	pumps []*pump
	moved chan struct{} // a pump has come further
}

// DispatcherConfig is what a Dispatcher works with.
type DispatcherConfig struct {
	// Outbox must not be nil.
	Outbox Outbox
	// Targets are the configured receivers. The Dispatcher closes their Sinks.
	Targets []Target
	// Tell is called when the way to a receiver breaks, works again, or a record was
	// refused; by several goroutines. Nil tells nobody.
	Tell func(Event)
	// Poll is how often an idle sink looks into the Outbox without being woken: other
	// processes may have put dead letters back. Default 5 s.
	Poll time.Duration
	// Backoff is the first pause after a failure; it doubles up to MaxBackoff. Defaults
	// 250 ms and 1 min.
	Backoff, MaxBackoff time.Duration
}

// Event is something an operator wants to know of the way to a receiver.
type Event struct {
	Sink string
	// Err is why nothing goes through; nil when it works again.
	Err error
	// Refused is the reason of a record that went to the dead letters, else empty.
	Refused string
	Seq     uint64 // of the refused record
}

// Progress is how far a sink has come in this run.
type Progress struct {
	Sink    string
	Sent    uint64 // sequence number up to which all was handed over and acknowledged
	Records uint64 // settled, repeats included
	Refused uint64 // sent to the dead letters
	Retries uint64 // Sends that failed
	Idle    bool   // the Outbox had nothing more for it when it last looked
	Err     error  // why nothing goes through at the moment
}

const (
	defaultBatch      = 256
	defaultPoll       = 5 * time.Second
	defaultBackoff    = 250 * time.Millisecond
	defaultMaxBackoff = time.Minute
)

// NewDispatcher makes every Target known to the Outbox, so that what is written from
// then on is kept for it.
func NewDispatcher(ctx context.Context, conf DispatcherConfig) (*Dispatcher, error) {
	if conf.Poll == 0 {
		conf.Poll = defaultPoll
	}
	if conf.Backoff == 0 {
		conf.Backoff = defaultBackoff
	}
	if conf.MaxBackoff == 0 {
		conf.MaxBackoff = defaultMaxBackoff
	}
	if conf.Tell == nil {
		conf.Tell = func(Event) {}
	}
	d := &Dispatcher{moved: make(chan struct{}, 1)}
	for _, t := range conf.Targets {
		if t.Batch == 0 {
			t.Batch = defaultBatch
		}
		cursor, err := conf.Outbox.Cursor(ctx, t.Name)
		if err != nil {
			return nil, fmt.Errorf("finding the place of sink %s in the outbox: %w", t.Name, err)
		}
		p := &pump{Target: t, conf: &conf, sent: cursor, wake: make(chan struct{}, 1), moved: d.moved}
		p.progress = Progress{Sink: t.Name, Sent: cursor}
		d.pumps = append(d.pumps, p)
	}
	return d, nil
}

// Run sends until ctx is done, then closes the sinks. It returns what went wrong with
// the Outbox or in closing.
func (d *Dispatcher) Run(ctx context.Context) error {
	errs := make([]error, len(d.pumps))
	var wg sync.WaitGroup
	for i, p := range d.pumps {
		wg.Go(func() { errs[i] = p.run(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Wake tells the sinks that the Outbox has something new. It never waits.
func (d *Dispatcher) Wake() {
	for _, p := range d.pumps {
		signal(p.wake)
	}
}

// Progress returns how far each sink has come.
func (d *Dispatcher) Progress() []Progress {
	all := make([]Progress, len(d.pumps))
	for i, p := range d.pumps {
		all[i] = p.state()
	}
	return all
}

// Drain waits until every sink has settled all up to seq, while Run runs. When ctx is
// done before, it names the sinks that have not.
func (d *Dispatcher) Drain(ctx context.Context, seq uint64) error {
	for {
		var late []error
		for _, p := range d.Progress() {
			if p.Sent < seq {
				late = append(late, fmt.Errorf("sink %s: alerts up to %d of %d were delivered", p.Sink, p.Sent, seq))
			}
		}
		if len(late) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(late...)
		case <-d.moved:
		}
	}
}

// signal leaves a note in a channel of one place.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
