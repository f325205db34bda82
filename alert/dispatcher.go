package alert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Dispatcher brings what is in an Outbox to the sinks: to each in order and at least
// once. A sink that hangs or fails holds up no other.
type Dispatcher struct {
	conf  *DispatcherConfig
	moved chan struct{} // a pump has come further

	mu    sync.Mutex
	pumps []*pump
	start func(*pump) // nil unless Run runs
	err   error       // of pumps that ended
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
	// Refused is the reason of a record that went to the dead letters, else empty. Of one
	// batch only the first is told.
	Refused string
	Seq     uint64 // of that record
	Count   int    // of those refused in the batch
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
	d := &Dispatcher{conf: &conf, moved: make(chan struct{}, 1)}
	for _, t := range conf.Targets {
		p, err := d.pump(ctx, t)
		if err != nil {
			return nil, err
		}
		d.pumps = append(d.pumps, p)
	}
	return d, nil
}

// pump makes a Target known to the Outbox and returns what brings it Alerts.
func (d *Dispatcher) pump(ctx context.Context, t Target) (*pump, error) {
	if t.Batch == 0 {
		t.Batch = defaultBatch
	}
	cursor, err := d.conf.Outbox.Cursor(ctx, t.Name)
	if err != nil {
		return nil, fmt.Errorf("finding the place of sink %s in the outbox: %w", t.Name, err)
	}
	p := &pump{Target: t, conf: d.conf, sent: cursor, wake: make(chan struct{}, 1), moved: d.moved, ended: make(chan struct{})}
	p.progress = Progress{Sink: t.Name, Sent: cursor}
	return p, nil
}

// Run sends until ctx is done, then closes the sinks. It returns what went wrong with
// the Outbox or in closing.
func (d *Dispatcher) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	d.mu.Lock()
	d.start = func(p *pump) { // d.mu is held
		ctx, stop := context.WithCancel(ctx)
		p.stop = stop
		wg.Go(func() { d.ended(p, p.run(ctx)) })
	}
	for _, p := range d.pumps {
		d.start(p)
	}
	d.mu.Unlock()
	<-ctx.Done()
	d.mu.Lock()
	d.start = nil
	d.mu.Unlock()
	wg.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// ended notes that a pump is over.
func (d *Dispatcher) ended(p *pump, err error) {
	p.stop()
	d.mu.Lock()
	d.err = errors.Join(d.err, err)
	d.mu.Unlock()
	close(p.ended)
}

// all returns the pumps of the moment.
func (d *Dispatcher) all() []*pump {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.pumps)
}

// Wake tells the sinks that the Outbox has something new. It never waits.
func (d *Dispatcher) Wake() {
	for _, p := range d.all() {
		signal(p.wake)
	}
}

// Progress returns how far each sink has come.
func (d *Dispatcher) Progress() []Progress {
	pumps := d.all()
	all := make([]Progress, len(pumps))
	for i, p := range pumps {
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
