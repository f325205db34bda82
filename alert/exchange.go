package alert

import (
	"context"
	"errors"
	"slices"
	"time"
)

// errNotRunning is why sinks cannot be exchanged.
var errNotRunning = errors.New("alerts are not delivered any more")

// Exchange takes sinks away by name and adds others, while Run runs; the rest go on
// undisturbed. A Target that has the name of one taken away goes on from its place, after
// that has ended. Others that are taken away get what waits for them, for a grace at
// most; then what is left stays in the Outbox. The Sinks of the Targets are closed if
// they cannot be used. One goroutine at a time may call it.
func (d *Dispatcher) Exchange(ctx context.Context, gone []string, targets []Target, grace time.Duration) error {
	var ending, ended []*pump
	for _, p := range d.take(gone) {
		if slices.ContainsFunc(targets, func(t Target) bool { return t.Name == p.Name }) {
			p.stop()
			ended = append(ended, p)
			continue
		}
		p.last.Store(true)
		signal(p.wake)
		ending = append(ending, p)
	}
	for _, p := range ended {
		<-p.ended
	}
	var errs []error
	for _, t := range targets {
		if err := d.add(ctx, t); err != nil {
			errs = append(errs, err, t.Sink.Close())
		}
	}
	timer := time.AfterFunc(grace, func() {
		for _, p := range ending {
			p.stop()
		}
	})
	defer timer.Stop()
	for _, p := range ending {
		<-p.ended
	}
	signal(d.moved) // who waits for those taken away need not
	return errors.Join(errs...)
}

// take takes pumps out of those that are looked after.
func (d *Dispatcher) take(names []string) (gone []*pump) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.start == nil {
		return nil // Run ends them all
	}
	d.pumps = slices.DeleteFunc(d.pumps, func(p *pump) bool {
		out := slices.Contains(names, p.Name)
		if out {
			gone = append(gone, p)
		}
		return out
	})
	return gone
}

// add starts to bring Alerts to a further Target.
func (d *Dispatcher) add(ctx context.Context, t Target) error {
	p, err := d.pump(ctx, t)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.start == nil {
		return errNotRunning
	}
	d.pumps = append(d.pumps, p)
	d.start(p)
	return nil
}
