package alert

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// lineSink keeps lines, and fails when it is told to.
type lineSink struct {
	fails int
	got   []string
}

func (s *lineSink) Send(_ context.Context, batch []Record) Outcome {
	if s.fails > 0 {
		s.fails--
		return Outcome{Err: errDown}
	}
	for _, r := range batch {
		s.got = append(s.got, string(r.Body))
	}
	return Outcome{Done: len(batch)}
}

func (*lineSink) Close() error { return nil }

func tap(t *testing.T, s *lineSink, n int, wait bool) (*Tap, error) {
	t.Helper()
	tap := NewTap(Target{Name: "log", Sink: s}, "s", wait)
	var wg sync.WaitGroup
	var err error
	run := func() { wg.Go(func() { err = tap.Run(context.Background()) }) }
	if wait {
		run()
	}
	for i := range n {
		tap.Put(fmt.Appendf(nil, "%01000d", i))
	}
	if !wait {
		run()
	}
	tap.End()
	wg.Wait()
	return tap, err
}

// TestTap: nothing gets lost while the sink works and the caller may wait; else what is
// lost is counted.
func TestTap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &lineSink{fails: 2}
		x, err := tap(t, s, 10_000, true)
		if err != nil || len(s.got) != 10_000 || x.Dropped() != 0 || x.Sent() != 10_000 || !slices.IsSorted(s.got) {
			t.Errorf("%d lines, %d dropped, %v", len(s.got), x.Dropped(), err)
		}
		s = &lineSink{} // it begins when the queue is full already
		x, err = tap(t, s, 10_000, false)
		if err == nil || x.Dropped() == 0 || len(s.got)+int(x.Dropped()) != 10_000 {
			t.Errorf("%d lines, %d dropped, %v", len(s.got), x.Dropped(), err)
		}
		s = &lineSink{fails: 1 << 30}
		x, err = tap(t, s, 500, true)
		if err == nil || x.Dropped() != 500 {
			t.Errorf("%d dropped of 500, %v", x.Dropped(), err)
		}
	})
}
