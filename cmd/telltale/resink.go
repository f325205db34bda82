package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"telltale/alert"
	"telltale/alert/sink"
)

// exchange is a change of receivers, checked and not made yet.
type exchange struct {
	daemon *daemon
	sinks  *resinking // nil without a state
	log    []sink.LogTarget
	relog  bool // the observation log changes
	sensor string
}

// exchange makes the receivers that k names ready. Its error says what is wrong with them.
func (d *daemon) exchange(k *knowledge) (*exchange, error) {
	c := &exchange{daemon: d, sensor: k.sensor}
	var err error
	if d.memory != nil {
		if c.sinks, err = d.memory.resink(k.sinks); err != nil {
			return c, err
		}
		if k.outbox != d.know.outbox {
			d.log.Warn("other bounds of the outbox are used after a restart")
		}
	}
	if c.log, err = sink.Observations(k.observe); err != nil {
		return c, usage(err)
	}
	same := func(a, b sink.Entry) bool { return a.Equal(&b) }
	c.relog = k.sensor != d.know.sensor || !slices.EqualFunc(k.observe, d.know.observe, same)
	return c, nil
}

// drop closes what was made ready and is not wanted.
func (c *exchange) drop() {
	for _, t := range c.log {
		_ = t.Sink.Close()
	}
	c.sinks.drop()
}

// observations puts the new observation log in place of the old one, which writes what it
// has before the new one begins to write.
func (c *exchange) observations() {
	if !c.relog {
		for _, t := range c.log {
			_ = t.Sink.Close()
		}
		return
	}
	d, old := c.daemon, c.daemon.observed
	d.live.SetDetails(d.conf.Observations != "" || len(c.log) > 0)
	d.observed = startObservations(context.WithoutCancel(d.ctx), c.log, c.sensor, false, func() {
		if err := old.close(logLast); err != nil {
			d.log.Warn(printable(err.Error()))
		}
	})
}

// resinking is a change of the sinks of a memory, checked and not made yet.
type resinking struct {
	memory  *memory
	entries []sink.Entry
	gone    []string       // names that are not there any more, or differ
	removed []string       // of those, that are not there any more
	targets []alert.Target // new, or differ
}

// resink makes what is new or differs in entries ready. Sinks whose entries are the same
// go on undisturbed. Its error says what is wrong with entries.
func (m *memory) resink(entries []sink.Entry) (*resinking, error) {
	targets, err := sink.Targets(entries)
	if err != nil {
		return nil, usage(err)
	}
	c := &resinking{memory: m, entries: entries}
	for i := range targets {
		same := slices.ContainsFunc(m.sinks, func(e sink.Entry) bool { return e.Equal(&entries[i]) })
		if same {
			_ = targets[i].Sink.Close() // it was never used
			continue
		}
		c.targets = append(c.targets, targets[i])
	}
	for i := range m.sinks {
		old := &m.sinks[i]
		at := slices.IndexFunc(entries, func(e sink.Entry) bool { return e.Name == old.Name })
		switch {
		case at < 0:
			c.gone, c.removed = append(c.gone, old.Name), append(c.removed, old.Name)
		case !old.Equal(&entries[at]):
			c.gone = append(c.gone, old.Name)
		}
	}
	return c, nil
}

// drop closes what was made ready and is not wanted.
func (c *resinking) drop() {
	if c == nil {
		return
	}
	for _, t := range c.targets {
		_ = t.Sink.Close()
	}
}

// make makes the change beside judging, which never waits for disks and receivers, and
// calls done at its end. It belongs to the goroutine that judges.
func (c *resinking) make(done func(error)) {
	m := c.memory
	m.sinks = c.entries
	before, over := m.changing, make(chan struct{})
	m.changing = over
	m.ended.Go(func() {
		defer close(over)
		if before != nil {
			<-before // one change at a time
		}
		done(m.dispatch.Exchange(m.life, c.gone, c.targets, deliverLast))
	})
}

// String says what changes, in words.
func (c *resinking) String() string {
	var parts []string
	say := func(what string, names []string) {
		if len(names) > 0 {
			parts = append(parts, what+" "+strings.Join(names, ", "))
		}
	}
	var added, changed []string
	for _, t := range c.targets {
		if slices.Contains(c.gone, t.Name) {
			changed = append(changed, t.Name)
		} else {
			added = append(added, t.Name)
		}
	}
	say("new sinks", added)
	say("changed sinks", changed)
	say("sinks no longer used", c.removed)
	text := strings.Join(parts, "; ")
	if len(c.removed) > 0 {
		text += fmt.Sprintf(" (what they do not take within %s waits until 'telltale outbox drop --sink NAME --forget')", deliverLast)
	}
	return text
}

// empty says that nothing changes.
func (c *resinking) empty() bool { return c == nil || len(c.gone)+len(c.targets) == 0 }
