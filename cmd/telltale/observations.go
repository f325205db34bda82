package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"telltale/alert"
	"telltale/alert/format"
	"telltale/alert/sink"
	"telltale/capture"
)

// observationLog writes observations to the sinks configured for them, best effort.
type observationLog struct {
	sensor string
	forms  []formed
	taps   []tapOf
	stop   context.CancelFunc
	ended  sync.WaitGroup
	mu     sync.Mutex
	err    error
}

// formed is an observation in one form, which several sinks may share.
type formed struct {
	format.Log
	line []byte
	made bool // of the present observation
}

// tapOf is a tap, the protocols it takes, none is all, and its form in observationLog.
type tapOf struct {
	*alert.Tap
	protocols []string
	form      int
}

// openObservations begins the observation log, nil if there is none. With wait, the
// reader of captures waits for the sinks.
func openObservations(ctx context.Context, list []sink.Entry, sensor string, wait bool) (*observationLog, error) {
	targets, err := sink.Observations(list)
	if err != nil {
		return nil, usage(err)
	}
	return startObservations(ctx, targets, sensor, wait, func() {}), nil
}

// startObservations begins the observation log with sinks that are first used after
// before returned, which is called beside it.
func startObservations(ctx context.Context, targets []sink.LogTarget, sensor string, wait bool, before func()) *observationLog {
	if len(targets) == 0 {
		go before()
		return nil
	}
	ctx, stop := context.WithCancel(ctx)
	l := &observationLog{sensor: sensor, stop: stop}
	before = sync.OnceFunc(before)
	for _, t := range targets {
		x := alert.NewTap(t.Target, sensor, wait)
		l.taps = append(l.taps, tapOf{x, t.Protocols, l.form(t.Form)})
		l.ended.Go(func() {
			before()
			err := x.Run(ctx)
			l.mu.Lock()
			defer l.mu.Unlock()
			l.err = errors.Join(l.err, err)
		})
	}
	return l
}

// form returns the place of a form, which is new or there already.
func (l *observationLog) form(f format.Log) int {
	i := slices.IndexFunc(l.forms, func(x formed) bool { return x.Name == f.Name })
	if i < 0 {
		i = len(l.forms)
		l.forms = append(l.forms, formed{Log: f})
	}
	return i
}

// put writes an observation. A nil log writes none.
func (l *observationLog) put(o *capture.Observation) {
	if l == nil {
		return
	}
	for i := range l.forms {
		l.forms[i].made = false
	}
	for _, t := range l.taps {
		if len(t.protocols) > 0 && !slices.Contains(t.protocols, o.Proto.String()) {
			continue
		}
		f := &l.forms[t.form]
		if !f.made {
			f.line, f.made = f.Append(f.line[:0], o, l.sensor), true
		}
		if len(f.line) > 0 { // else the form has no event for it
			t.Put(f.line)
		}
	}
}

// flush hands on what was put, for quiet networks.
func (l *observationLog) flush() {
	if l == nil {
		return
	}
	for _, t := range l.taps {
		t.Flush()
	}
}

// dropped returns the lines that sinks did not take so far.
func (l *observationLog) dropped() (n uint64) {
	if l == nil {
		return 0
	}
	for _, t := range l.taps {
		n += t.Dropped()
	}
	return n
}

// close waits until what was put is written, for limit at most if that is not 0. Its
// error says what was dropped.
func (l *observationLog) close(limit time.Duration) error {
	if l == nil {
		return nil
	}
	defer l.stop()
	if limit > 0 {
		timer := time.AfterFunc(limit, l.stop)
		defer timer.Stop()
	}
	for _, t := range l.taps {
		t.End()
	}
	l.ended.Wait()
	return l.err
}
