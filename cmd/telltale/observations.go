package main

import (
	"context"
	"errors"
	"slices"
	"sync"

	"telltale/alert"
	"telltale/alert/sink"
	"telltale/capture"
)

// observationLog writes observations to the sinks configured for them, best effort.
type observationLog struct {
	taps  []tapOf
	line  []byte
	ended sync.WaitGroup
	mu    sync.Mutex
	err   error
}

// tapOf is a tap and the protocols it takes; none is all.
type tapOf struct {
	*alert.Tap
	protocols []string
}

// openObservations begins the observation log, nil if there is none. With wait, the
// reader of captures waits for the sinks.
func openObservations(ctx context.Context, list []sink.Entry, sensor string, wait bool) (*observationLog, error) {
	if len(list) == 0 {
		return nil, nil
	}
	targets, err := sink.Observations(list)
	if err != nil {
		return nil, usage(err)
	}
	l := &observationLog{}
	for i, t := range targets {
		x := alert.NewTap(t, sensor, wait)
		l.taps = append(l.taps, tapOf{x, list[i].Protocols})
		l.ended.Go(func() {
			err := x.Run(ctx)
			l.mu.Lock()
			defer l.mu.Unlock()
			l.err = errors.Join(l.err, err)
		})
	}
	return l, nil
}

// put writes an observation. A nil log writes none.
func (l *observationLog) put(o *capture.Observation) {
	if l == nil {
		return
	}
	l.line = l.line[:0]
	for _, t := range l.taps {
		if len(t.protocols) > 0 && !slices.Contains(t.protocols, o.Proto.String()) {
			continue
		}
		if len(l.line) == 0 {
			l.line = o.AppendJSON(l.line)
		}
		t.Put(l.line)
	}
}

// close waits until what was put is written. Its error says what was dropped.
func (l *observationLog) close() error {
	if l == nil {
		return nil
	}
	for _, t := range l.taps {
		t.End()
	}
	l.ended.Wait()
	return l.err
}
