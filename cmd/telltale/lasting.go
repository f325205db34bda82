package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"telltale/alert"
)

// lasting are alerts that a state directory keeps until every sink has them. They are
// written to the output once they are durable.
type lasting struct {
	memory  *memory
	lines   *lines
	packets func() (seen, dropped uint64)
	maker   *alert.Maker
	time    func() int64
	keptAt  time.Time

	mu  sync.Mutex
	err error // of the output; the writer of the state meets it
}

const (
	keepEvery   = time.Minute     // findings that nothing is told of are written this often, and a heartbeat
	deliverLast = 5 * time.Second // how long sinks may take at the end
)

// committed writes alerts that have become durable.
func (l *lasting) committed(list []*alert.Alert) {
	for _, a := range list {
		if err := l.lines.Emit(a); err != nil {
			l.mu.Lock()
			l.err = errors.Join(l.err, err)
			l.mu.Unlock()
			return
		}
	}
}

// Emit implements alerts.
func (l *lasting) Emit(a *alert.Alert) error { return l.memory.change(a, a.Finding) }

// Flush implements alerts. Now and then it writes what is remembered.
func (l *lasting) Flush() error {
	l.mu.Lock()
	err := l.err
	l.mu.Unlock()
	if now := time.Now(); now.Sub(l.keptAt) >= keepEvery {
		l.keptAt = now
		err = errors.Join(err, l.memory.keep(), l.beat())
	}
	return errors.Join(err, l.lines.Flush())
}

func (l *lasting) beat() error {
	seen, dropped := l.packets()
	return l.memory.heartbeat(l.maker, l.time(), seen, dropped)
}

// Close implements alerts. What sinks have not taken soon waits for the next run.
func (l *lasting) Close() error {
	err := errors.Join(l.memory.keep(), l.beat())
	if late := l.memory.deliver(context.WithoutCancel(l.memory.ctx), deliverLast); late != nil {
		l.memory.log.Warn(printable(late.Error()))
	}
	return errors.Join(err, l.memory.close(), l.lines.Close())
}
