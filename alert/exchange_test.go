package alert

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// running is a Dispatcher that runs until the returned function is called, which returns
// the error of Run.
func running(t *testing.T, b *box, targets ...Target) (d *Dispatcher, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d, err := NewDispatcher(ctx, DispatcherConfig{Outbox: b, Targets: targets})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { err = d.Run(ctx) })
	synctest.Wait()
	return d, func() error { cancel(); wg.Wait(); return err }
}

// TestExchange: sinks come and go while others go on: one that is new gets what comes
// from then on, one that changed goes on from its place, one that went gets what waits.
func TestExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, ctx := newBox(10), context.Background()
		slow := func(r []Record) Outcome { time.Sleep(time.Second); return Outcome{Done: 2} }
		kept, went, was, is, fresh := &scripted{}, &scripted{script: []func([]Record) Outcome{slow, slow}}, &scripted{}, &scripted{}, &scripted{}
		target := func(name string, s *scripted) Target { return Target{Name: name, Sink: s, Encode: encode} }
		d, stop := running(t, b, target("kept", kept), target("went", went), target("changed", was))
		b.cursors["fresh"] = 10 // as an Outbox does with one it does not know
		if err := d.Exchange(ctx, []string{"went", "changed"}, []Target{target("changed", is), target("fresh", fresh)}, 5*time.Second); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(went.got, count(10)) || !went.closed || !was.closed || kept.closed || !slices.Equal(was.got, count(10)) {
			t.Errorf("gone: %v closed %v, %v closed %v", went.got, went.closed, was.got, was.closed)
		}
		b.add(3)
		d.Wake()
		if err := d.Drain(ctx, 13); err != nil {
			t.Fatal(err)
		}
		for name, s := range map[string]*scripted{"changed": is, "fresh": fresh} {
			if !slices.Equal(s.got, []uint64{11, 12, 13}) {
				t.Errorf("%s got %v", name, s.got)
			}
		}
		if !slices.Equal(kept.got, count(13)) || len(went.got) != 10 || len(d.Progress()) != 3 {
			t.Errorf("kept %v, went %v, %d sinks", kept.got, went.got, len(d.Progress()))
		}
		if err := stop(); err != nil || !is.closed || !fresh.closed || !kept.closed {
			t.Errorf("at the end: %v", err)
		}
		late := &scripted{}
		if err := d.Exchange(ctx, nil, []Target{target("late", late)}, 0); !errors.Is(err, errNotRunning) || !late.closed {
			t.Errorf("after the end: %v, closed %v", err, late.closed)
		}
	})
}

// TestExchangeWaitsNotForEver: a sink that takes nothing is ended after its grace, and
// what waits for it stays.
func TestExchangeWaitsNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := newBox(4), &scripted{}
		for range 50 {
			s.script = append(s.script, fails(errDown, time.Minute))
		}
		d, stop := running(t, b, Target{Name: "siem", Sink: s, Encode: encode})
		began := time.Now()
		if err := d.Exchange(context.Background(), []string{"siem"}, nil, 5*time.Second); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 5*time.Second || b.cursors["siem"] != 0 || !s.closed {
			t.Errorf("after %v at %d, closed %v", took, b.cursors["siem"], s.closed)
		}
		if err := d.Drain(context.Background(), 4); err != nil { // nobody is waited for
			t.Error(err)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}
