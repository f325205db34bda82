package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"telltale/alert"
	"telltale/alert/sink"
	"telltale/detect"
	"telltale/inventory"
)

// memory is the state directory in use: what is remembered, and the way of the alerts to
// the sinks. Both replay and run work with it.
type memory struct {
	*env
	store    *inventory.Store
	dispatch *alert.Dispatcher
	engine   *detect.Engine  // set by restore
	sinks    []sink.Entry    // in use
	life     context.Context // until close
	stop     context.CancelFunc
	ended    sync.WaitGroup
	changing chan struct{} // closed when the last change of sinks is over
	err      error         // of the dispatcher
}

// openMemory opens the state directory and begins to deliver what waits in it. committed
// is told of the alerts that have become durable. With wait, the engine waits for the
// disk: that is for captures, packets do not wait.
func openMemory(e *env, k *knowledge, dir string, wait bool, committed func([]*alert.Alert)) (*memory, error) {
	targets, err := sink.Targets(k.sinks)
	if err != nil {
		return nil, usage(err)
	}
	m, err := newMemory(e, targets, inventory.Config{
		Dir: dir, Maker: k.maker(), Wait: wait, Committed: committed,
		MaxAlerts: k.outbox.MaxAlerts, MaxBytes: k.outbox.MaxMiB << 20, Policy: inventory.Policy(k.outbox.Policy),
	})
	if err == nil {
		m.sinks = k.sinks
	}
	return m, err
}

func newMemory(e *env, targets []alert.Target, conf inventory.Config) (m *memory, err error) {
	m = &memory{env: e}
	conf.Trouble = m.trouble
	if err := conf.Validate(); err != nil {
		return nil, usage(err)
	}
	if m.store, err = inventory.Open(e.ctx, conf); err != nil {
		return nil, err
	}
	m.dispatch, err = alert.NewDispatcher(e.ctx, alert.DispatcherConfig{Outbox: m.store, Targets: targets, Tell: m.tell})
	if err != nil {
		return nil, errors.Join(err, m.store.Close())
	}
	m.store.OnReady(m.dispatch.Wake)
	m.life, m.stop = context.WithCancel(context.WithoutCancel(e.ctx)) // delivery goes on while the end is prepared
	m.ended.Go(func() { m.err = m.dispatch.Run(m.life) })
	return m, nil
}

// maker makes the alerts of this sensor.
func (k *knowledge) maker() alert.Maker {
	return alert.Maker{Sensor: k.sensor, Packs: k.detect.Set.Generation(), Program: version}
}

// trouble logs that the state cannot be written, or can again.
func (m *memory) trouble(err error) {
	if err != nil {
		m.log.Error(printable(err.Error()))
		return
	}
	m.log.Warn("the state can be written again")
}

// tell logs what happens on the way to a sink.
func (m *memory) tell(e alert.Event) {
	log := m.log.With(zap.String("sink", e.Sink))
	switch {
	case e.Refused != "":
		log.Warn("alerts were refused for good and are kept with the dead letters: see 'telltale outbox peek --dead'",
			zap.Int("count", e.Count), zap.Uint64("first", e.Seq), zap.String("reason", printable(e.Refused)))
	case e.Err != nil:
		log.Warn("alerts do not go through and wait in the outbox", zap.String("reason", printable(e.Err.Error())))
	default:
		log.Warn("alerts go through again")
	}
}

// restore makes a new engine go on with what is remembered.
func (m *memory) restore(engine *detect.Engine) error {
	m.engine = engine
	list, err := m.store.Findings(m.ctx)
	if err != nil {
		return err
	}
	if left := engine.Restore(list); left > 0 {
		m.log.Info(fmt.Sprintf("%d findings are remembered and not judged in this run", left))
	}
	return nil
}

// change writes an alert and the finding it tells of, which may be nil.
func (m *memory) change(a *alert.Alert, f *detect.Finding) error {
	if f == nil {
		return m.store.Put(m.ctx, a, nil)
	}
	state := m.engine.State(f)
	return m.store.Put(m.ctx, a, &state)
}

// keep writes all findings that changed since it was last called. The engine's goroutine
// calls it now and then, and at the end.
func (m *memory) keep() (err error) {
	m.engine.Changed(func(f *detect.Finding) {
		err = errors.Join(err, m.store.Keep(m.engine.State(f)))
	})
	return err
}

// heartbeat says at time t how far the sequence is, and how many packets were seen and
// dropped by the kernel.
func (m *memory) heartbeat(maker *alert.Maker, t int64, packets, dropped uint64) error {
	h := m.store.Heartbeat()
	h.Packets, h.PacketsDropped = packets, dropped
	return m.store.Put(m.ctx, maker.Heartbeat(t, h), nil)
}

// deliver waits until every sink has all that was written.
func (m *memory) deliver(ctx context.Context, limit time.Duration) error {
	if err := m.store.Sync(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	ctx, done := context.WithTimeout(ctx, limit)
	defer done()
	if err := m.dispatch.Drain(ctx, m.store.Seq()); err != nil {
		return fmt.Errorf("%w: the rest waits in the outbox for the next run, see 'telltale outbox status'", err)
	}
	return nil
}

// close ends delivery and closes the state.
func (m *memory) close() error {
	m.stop()
	m.ended.Wait()
	return errors.Join(m.err, m.store.Close())
}
