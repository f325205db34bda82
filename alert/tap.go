package alert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Tap brings the observation log to a sink, best effort: lines that find no place in a
// bounded queue, or that the sink does not take, are dropped and counted. Put is for one
// goroutine.
type Tap struct {
	target  Target
	sensor  string
	wait    bool
	filling []byte // lines, each with its end
	count   int    // of lines in filling
	queue   chan tapped
	free    chan []byte
	dropped atomic.Uint64
	sent    atomic.Uint64
}

var errTapFull = errors.New("the receiver is too slow")

// tapped is some lines.
type tapped struct {
	lines []byte
	count int
}

const (
	tapBytes = 64 << 10 // lines are handed on in pieces of about this size
	tapQueue = 64       // pieces that wait
	tapTries = 3        // Sends in a row without progress after which a piece is dropped
)

// NewTap returns a Tap. With wait, Put waits when the queue is full: captures can,
// packets never do.
func NewTap(t Target, sensor string, wait bool) *Tap {
	return &Tap{target: t, sensor: sensor, wait: wait, queue: make(chan tapped, tapQueue), free: make(chan []byte, tapQueue)}
}

// Put takes a line, without its end. It keeps a copy.
func (t *Tap) Put(line []byte) {
	t.filling = append(append(t.filling, line...), '\n')
	t.count++
	if len(t.filling) >= tapBytes {
		t.Flush()
	}
}

// Flush hands on what was put. The caller does so now and then, for quiet networks.
func (t *Tap) Flush() {
	if t.count == 0 {
		return
	}
	piece := tapped{t.filling, t.count}
	t.count = 0
	if t.wait {
		t.queue <- piece
	} else {
		select {
		case t.queue <- piece:
		default:
			t.dropped.Add(uint64(piece.count))
			t.filling = t.filling[:0]
			return
		}
	}
	select {
	case b := <-t.free:
		t.filling = b[:0]
	default:
		t.filling = make([]byte, 0, tapBytes+tapBytes/8)
	}
}

// End says that nothing more will be put. Run ends when what was put is sent.
func (t *Tap) End() {
	t.Flush()
	close(t.queue)
}

// Dropped returns the lines that were dropped so far, Sent those that were taken.
func (t *Tap) Dropped() uint64 { return t.dropped.Load() }

// Sent returns the lines that the sink took.
func (t *Tap) Sent() uint64 { return t.sent.Load() }

// Run sends until End, and closes the sink. Its error says why lines were dropped.
func (t *Tap) Run(ctx context.Context) error {
	var last error
	for p := range t.queue {
		if err := t.send(ctx, p); err != nil {
			last = err
		}
		select {
		case t.free <- p.lines:
		default:
		}
	}
	if err := t.target.Sink.Close(); err != nil {
		last = errors.Join(last, err)
	}
	if n := t.Dropped(); n > 0 {
		return fmt.Errorf("observation log %s: %d lines were dropped: %w", t.target.Name, n, cmp.Or(last, errTapFull))
	}
	return last
}

// send hands p to the sink, and gives up when it takes nothing.
func (t *Tap) send(ctx context.Context, p tapped) error {
	batch := make([]Record, 0, p.count)
	for from, i := 0, 0; i < len(p.lines); i++ {
		if p.lines[i] == '\n' {
			batch = append(batch, Record{Sensor: t.sensor, Body: p.lines[from:i:i]})
			from = i + 1
		}
	}
	var err error
	for tries := 0; len(batch) > 0 && tries < tapTries; tries++ {
		out := t.target.Sink.Send(ctx, batch[:min(len(batch), maxTapped)])
		done := min(max(out.Done, 0), len(batch))
		t.sent.Add(uint64(done - min(len(out.Refused), done)))
		t.dropped.Add(uint64(min(len(out.Refused), done)))
		batch = batch[done:]
		if done > 0 {
			tries = -1
		}
		if err = out.Err; err != nil && ctx.Err() == nil {
			pause(ctx, max(defaultBackoff, min(out.After, time.Second)))
		}
	}
	if len(batch) == 0 {
		return nil
	}
	t.dropped.Add(uint64(len(batch)))
	return err
}

// maxTapped bounds the lines of one Send.
const maxTapped = 1024

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
