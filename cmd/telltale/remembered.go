package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"telltale/alert"
)

// remembered runs the replay on a state directory: what is remembered is gone on with,
// captures judged before are left out, and alerts go to the sinks.
func (r *replay) remembered(c *replayCmd, k *knowledge) (err error) {
	r.memory, err = openMemory(r.env, k, c.State, true, r.committed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.memory.close()) }()
	if r.captures, err = c.unseen(r.env, r.memory); err != nil {
		return err
	}
	broken, err := r.memory.store.BeginReplay(r.ctx, r.captures)
	if err != nil {
		return err
	}
	if broken {
		r.log.Warn("a replay into this state was broken off: what it found was taken back")
	}
	if err := r.memory.restore(r.engine); err != nil {
		return err
	}
	r.begun = r.memory.store.Seq()
	if len(c.Captures) > 0 {
		err = r.run(c, k)
	}
	return errors.Join(err, r.memory.deliver(r.ctx, c.Drain))
}

// committed writes the alerts that have become durable. It is called by the writer of
// the state.
func (r *replay) committed(list []*alert.Alert) {
	for _, a := range list {
		r.write(a)
	}
}

// lastWrites is how long the end may take to write the state.
const lastWrites = 30 * time.Second

// settle ends a run on a state: a heartbeat says how many alerts there were, and the
// captures count as judged if they were read to their end.
func (r *replay) settle(whole bool, packets uint64) error {
	if r.memory == nil {
		return nil
	}
	m := r.memory
	ctx, done := context.WithTimeout(context.WithoutCancel(r.ctx), lastWrites) // also after it was interrupted
	defer done()
	err := errors.Join(m.keep(), m.store.Sync(ctx))
	if err == nil && m.store.Seq() > r.begun {
		err = m.heartbeat(&r.maker, r.engine.Coverage().Last, packets, 0)
	}
	if err != nil {
		return err
	}
	if !whole {
		return errors.Join(m.store.Sync(ctx), errors.New("it was broken off: replay the same captures again"))
	}
	if err := m.store.EndReplay(ctx, r.captures); err != nil {
		return fmt.Errorf("noting the captures as judged: %w", err)
	}
	return nil
}
