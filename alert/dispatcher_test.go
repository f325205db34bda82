package alert

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"telltale/detect"
	"telltale/feeds"
)

// box is an Outbox in memory.
type box struct {
	mu      sync.Mutex
	entries []Entry
	cursors map[string]uint64
	dead    map[string][]DeadLetter
	retry   []Entry
}

func newBox(n int) *box {
	b := &box{cursors: map[string]uint64{}, dead: map[string][]DeadLetter{}}
	b.add(n)
	return b
}

func (b *box) add(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range n {
		seq := uint64(len(b.entries) + 1)
		f := &detect.Finding{ID: fmt.Sprint(seq), Vendor: "kaspersky", Class: feeds.Installed, Host: detect.Host{Addr: netip.MustParseAddr("10.0.0.1")}}
		b.entries = append(b.entries, Entry{Seq: seq, Alert: &Alert{Seq: seq, Kind: FindingOpened, Severity: High, Finding: f}})
	}
}

func (b *box) Cursor(_ context.Context, sink string) (uint64, error) {
	return b.cursors[sink], nil
}

func (b *box) Next(_ context.Context, _ string, after uint64, n int) ([]Entry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.retry) > 0 {
		return slices.Clone(b.retry), nil
	}
	rest := b.entries[after:]
	return slices.Clone(rest[:min(n, len(rest))]), nil
}

func (b *box) Settle(_ context.Context, sink string, s Settlement) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cursors[sink] = max(b.cursors[sink], s.UpTo)
	b.dead[sink] = append(b.dead[sink], s.Dead...)
	b.retry = slices.DeleteFunc(b.retry, func(e Entry) bool {
		return slices.Contains(s.Retried, e.Retry) || slices.ContainsFunc(s.Dead, func(d DeadLetter) bool { return d.Retry == e.Retry })
	})
	return nil
}

// scripted is a sink that does what its script says, and then takes everything.
type scripted struct {
	mu     sync.Mutex
	script []func(batch []Record) Outcome
	got    []uint64
	sizes  []int
	times  []time.Time
	closed bool
}

func (s *scripted) Send(ctx context.Context, batch []Record) Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sizes = append(s.sizes, len(batch))
	s.times = append(s.times, time.Now())
	out := Outcome{Done: len(batch)}
	if len(s.script) > 0 {
		out = s.script[0](batch)
		s.script = s.script[1:]
	}
	for i := range min(out.Done, len(batch)) {
		if !slices.ContainsFunc(out.Refused, func(r Refusal) bool { return r.Index == i }) {
			s.got = append(s.got, batch[i].Alert.Seq)
		}
	}
	return out
}

func (s *scripted) Close() error {
	s.closed = true
	return nil
}

func encode(dst []byte, a *Alert) []byte { return fmt.Appendf(dst, "alert %d", a.Seq) }

func count(n uint64) (all []uint64) {
	for i := uint64(1); i <= n; i++ {
		all = append(all, i)
	}
	return all
}

// dispatch runs a Dispatcher over b for a while of made-up time.
func dispatch(t *testing.T, b *box, d time.Duration, targets ...Target) (events []Event, end []Progress) {
	t.Helper()
	var mu sync.Mutex
	ctx, stop := context.WithCancel(context.Background())
	p, err := NewDispatcher(ctx, DispatcherConfig{Outbox: b, Targets: targets, Tell: func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, e)
	}})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := p.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	time.Sleep(d)
	stop()
	wg.Wait()
	return events, p.Progress()
}

func fails(err error, after time.Duration) func([]Record) Outcome {
	return func([]Record) Outcome { return Outcome{Err: err, After: after} }
}

var errDown = errors.New("connection refused")

func TestDelivery(t *testing.T) {
	for name, c := range map[string]struct {
		script []func([]Record) Outcome
		target Target
		want   []uint64
		dead   int
		sends  int
	}{
		"all goes well": {want: count(600), sends: 3},
		"a prefix": {
			script: []func([]Record) Outcome{func([]Record) Outcome { return Outcome{Done: 100} }},
			want:   count(600), sends: 3,
		},
		"down, then up": {
			script: []func([]Record) Outcome{fails(errDown, 0), fails(errDown, 0), func([]Record) Outcome { return Outcome{Done: 7, Err: errDown} }},
			want:   count(600), sends: 6,
		},
		"refused for good": {
			script: []func([]Record) Outcome{func(b []Record) Outcome {
				return Outcome{Done: 5, Refused: []Refusal{{Index: 2, Reason: "mapping"}, {Index: 9, Reason: "beyond what is done"}}}
			}},
			want: slices.Concat(count(2), count(600)[3:]), dead: 1, sends: 4,
		},
		"a lying sink": {
			script: []func([]Record) Outcome{func(b []Record) Outcome { return Outcome{Done: len(b) + 50} }, func([]Record) Outcome { return Outcome{Done: -3} }},
			want:   count(600), sends: 4,
		},
		"small batches":  {target: Target{Batch: 50}, want: count(600), sends: 12},
		"nothing for it": {target: Target{Filter: Filter{Vendors: []string{"huawei"}}}, want: nil, sends: 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, s := newBox(600), &scripted{script: c.script}
				c.target.Name, c.target.Sink, c.target.Encode = "siem", s, encode
				_, end := dispatch(t, b, time.Hour, c.target)
				if !slices.Equal(s.got, c.want) || b.cursors["siem"] != 600 || len(s.sizes) != c.sends || !s.closed {
					t.Errorf("%d records in %d sends, cursor %d, closed %v", len(s.got), len(s.sizes), b.cursors["siem"], s.closed)
				}
				if len(b.dead["siem"]) != c.dead || end[0].Refused != uint64(c.dead) || end[0].Err != nil || !end[0].Idle {
					t.Errorf("dead letters %v, end %+v", b.dead, end[0])
				}
			})
		})
	}
}

// TestBackoff: pauses double and do not grow for ever, progress begins anew, and the
// pause a receiver asks for is kept.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{}
		for range 12 {
			s.script = append(s.script, fails(errDown, 0))
		}
		s.script = append(s.script, func([]Record) Outcome { return Outcome{Done: 1, Err: errDown} }, fails(errDown, 10*time.Minute))
		events, _ := dispatch(t, newBox(3), 24*time.Hour, Target{Name: "siem", Sink: s, Encode: encode})
		steps := map[time.Duration]bool{}
		for i := 1; i < 12; i++ {
			most := min(250*time.Millisecond<<(i-1), time.Minute)
			if d := s.times[i].Sub(s.times[i-1]); d < most/2 || d > most+time.Millisecond {
				t.Errorf("pause %d is %v, want %v to %v", i, d, most/2, most)
			}
			steps[most-s.times[i].Sub(s.times[i-1])] = true
		}
		if len(steps) < 3 {
			t.Errorf("pauses keep in step with other sensors: they differ from the longest by %v", steps)
		}
		if d := s.times[13].Sub(s.times[12]); d > 70*time.Second {
			t.Errorf("pause after progress %v", d)
		}
		if d := s.times[14].Sub(s.times[13]); d < 10*time.Minute || d > 11*time.Minute {
			t.Errorf("asked for 10 min, paused %v", d)
		}
		if len(events) != 2 || events[0].Err != errDown || events[1].Err != nil {
			t.Errorf("events %v: want one when it broke and one when it worked", events)
		}
	})
}

// TestRefusalsAreToldOnce for a batch: a receiver that takes nothing does not flood the log.
func TestRefusalsAreToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: []func([]Record) Outcome{func(batch []Record) Outcome {
			out := Outcome{Done: len(batch)}
			for i := range batch[1:] {
				out.Refused = append(out.Refused, Refusal{Index: i + 1, Reason: "mapping"})
			}
			return out
		}}}
		b := newBox(200)
		events, _ := dispatch(t, b, time.Hour, Target{Name: "siem", Sink: s, Encode: encode})
		if len(events) != 1 || events[0] != (Event{Sink: "siem", Refused: "mapping", Seq: 2, Count: 199}) || len(b.dead["siem"]) != 199 {
			t.Errorf("%d events, the first %+v, %d dead letters", len(events), events[0], len(b.dead["siem"]))
		}
	})
}

// TestAskedForAPause: a receiver that only asks for a pause is given it and is not in
// trouble, however often it asks.
func TestAskedForAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{}
		for range 10 {
			s.script = append(s.script, fails(nil, time.Minute))
		}
		events, end := dispatch(t, newBox(3), time.Hour, Target{Name: "chat", Sink: s, Encode: encode})
		if len(events) != 0 || end[0].Err != nil || end[0].Retries != 0 {
			t.Errorf("events %v, progress %+v", events, end[0])
		}
		for i := 1; i <= 10; i++ {
			if d := s.times[i].Sub(s.times[i-1]); d != time.Minute {
				t.Errorf("pause %d is %v", i, d)
			}
		}
		if end[0].Sent != 3 {
			t.Errorf("%+v", end[0])
		}
	})
}

// TestOneSinkHoldsUpNoOther, not even one that hangs until it is told to end.
func TestOneSinkHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, good := newBox(300), &scripted{}
		dispatch(t, b, time.Minute, Target{Name: "hangs", Sink: hanging{}, Encode: encode}, Target{Name: "good", Sink: good, Encode: encode})
		if len(good.got) != 300 || b.cursors["hangs"] != 0 {
			t.Errorf("the good one has %d, the hanging one is at %d", len(good.got), b.cursors["hangs"])
		}
	})
}

type hanging struct{}

func (hanging) Send(ctx context.Context, _ []Record) Outcome {
	<-ctx.Done()
	return Outcome{Err: ctx.Err()}
}

func (hanging) Close() error { return nil }

// TestRewind: after a connection without acknowledgements was lost, the window is sent
// again before anything new, and it is kept in the outbox until then.
func TestRewind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := newBox(40), &scripted{}
		all := func(b []Record) Outcome { return Outcome{Done: len(b)} }
		again := func([]Record) Outcome { return Outcome{Rewind: true} }
		s.script = append(s.script, again, all, all, all, fails(errDown, 0), again, again)
		cursor := uint64(0)
		s.script = append(s.script, func(r []Record) Outcome {
			cursor = b.cursors["udp"]
			return all(r)
		})
		dispatch(t, b, time.Minute, Target{Name: "udp", Sink: s, Encode: encode, Batch: 10, Window: Window{Records: 15}})
		want := slices.Concat(count(30), count(40)[10:])
		if !slices.Equal(s.got, want) {
			t.Errorf("got %v\nwant %v", s.got, want)
		}
		if cursor > 15 {
			t.Errorf("after 30 of which 15 are in doubt the outbox was told that %d are settled", cursor)
		}
		if b.cursors["udp"] != 40 {
			t.Errorf("closed well, but only %d are settled", b.cursors["udp"])
		}
	})
}

// TestRetriedDeadLetters come first, pass filters, and leave when they are taken.
func TestRetriedDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := newBox(2), &scripted{}
		old := newBox(9).entries
		for i := range 3 {
			e := old[6+i]
			e.Retry = int64(i + 1)
			b.retry = append(b.retry, e)
		}
		b.retry[2].Alert, b.retry[2].Err = nil, errors.New("damaged")
		s.script = append(s.script, func(r []Record) Outcome {
			return Outcome{Done: len(r), Refused: []Refusal{{Index: 1, Reason: "still"}}}
		})
		dispatch(t, b, time.Minute, Target{Name: "siem", Sink: s, Encode: encode, Filter: Filter{MinSeverity: High}})
		if !slices.Equal(s.got, []uint64{7, 1, 2}) || len(b.dead["siem"]) != 2 || len(b.retry) != 0 {
			t.Errorf("got %v, dead %v, left %v", s.got, b.dead, b.retry)
		}
	})
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := newBox(10), &scripted{script: []func([]Record) Outcome{fails(errDown, time.Minute)}}
		ctx, stop := context.WithCancel(context.Background())
		d, err := NewDispatcher(ctx, DispatcherConfig{Outbox: b, Targets: []Target{{Name: "siem", Sink: s, Encode: encode}}})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() { _ = d.Run(ctx) })
		short, done := context.WithTimeout(ctx, time.Second)
		if err := d.Drain(short, 10); err == nil {
			t.Error("drained while the sink is down")
		}
		done()
		if err := d.Drain(ctx, 10); err != nil || len(s.got) != 10 {
			t.Error(err, s.got)
		}
		b.add(1)
		d.Wake()
		if err := d.Drain(ctx, 11); err != nil {
			t.Error(err)
		}
		stop()
		wg.Wait()
	})
}

// TestStored: an Alert comes back from the outbox as it was.
func TestStored(t *testing.T) {
	m := Maker{Sensor: "s", Packs: "p"}
	f := newBox(1).entries[0].Alert.Finding
	f.Host.MAC, f.Policies = [6]byte{1, 2}, []*feeds.Policy{{ID: "us-bod-17-01", Title: "t", Deadlines: make([]feeds.Deadline, 3)}}
	f.Foreign = &detect.Foreign{Network: netip.MustParsePrefix("2001:db8::/32"), ASName: "a\x00\u202eb"}
	list := []*Alert{
		m.Change(detect.Change{Kind: detect.Raised, Time: 5, Finding: f}),
		m.Gap(6, 7, Gap{First: 1, Last: 4, Count: 4, Reason: "r"}),
		m.Heartbeat(8, Heartbeat{Packets: 3}), m.Health(HealthInput, 9, "text"),
	}
	if one := m.Gap(6, 7, Gap{First: 1, Last: 1, Count: 1, Reason: "r"}); one.Text != "1 alert was dropped: r" || list[1].Text != "4 alerts were dropped: r" {
		t.Errorf("gaps say %q and %q", one.Text, list[1].Text)
	}
	for _, a := range list {
		a.Number(77, a.Seq)
		b, err := Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Unmarshal(b)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Marshal(back)
		if err != nil || string(again) != string(b) || back.ID != a.ID || back.Seq != a.Seq || back.Epoch != 77 {
			t.Errorf("%v\n%s\n%s", err, b, again)
		}
		if a.Finding != nil && (back.Finding.Policies[0].ID != "us-bod-17-01" || back.Finding.Foreign.Network != f.Foreign.Network || back.Finding.Class != f.Class) {
			t.Errorf("came back as %+v", back.Finding)
		}
	}
	for _, bad := range []string{"", "{", `{"finding":{"Class":"certain"}}`, `{"seq":"x"}`} {
		if _, err := Unmarshal([]byte(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	b, _ := Marshal(&Alert{ID: "x", Seq: 1, Kind: FindingOpened, Finding: &detect.Finding{Vendor: "v"}})
	f.Add(b)
	f.Add([]byte(`{"finding":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := Unmarshal(b)
		if err != nil {
			return
		}
		if _, err := Marshal(a); err != nil {
			t.Errorf("%s is read and cannot be written: %v", b, err)
		}
	})
}
