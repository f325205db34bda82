package inventory

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"telltale/alert"
	"telltale/detect"
)

func TestOneWriter(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, Config{Dir: dir})
	if _, err := Open(context.Background(), Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "in use by another instance") {
		t.Errorf("a second one opens it: %v", err)
	}
	closed(t, s)
	closed(t, opened(t, Config{Dir: dir}))
}

// TestOpenWaitsForALook: who asks whether a state is in use holds its lock for a moment,
// which refuses nobody.
func TestOpenWaitsForALook(t *testing.T) {
	dir := t.TempDir()
	l, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(3*lockPause/2, func() { _ = l.Close() })
	closed(t, opened(t, Config{Dir: dir}))
}

// TestForeignFiles: a newer schema and another program's file are refused and left alone.
func TestForeignFiles(t *testing.T) {
	for want, damage := range map[string]string{
		"written by a newer telltale": "PRAGMA user_version = 99",
		"was not made by telltale":    "PRAGMA application_id = 7",
	} {
		dir := t.TempDir()
		closed(t, opened(t, Config{Dir: dir}))
		db, err := sql.Open("sqlite", filepath.Join(dir, fileName))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(damage); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(context.Background(), Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", damage, err)
		}
		if _, err := OpenDesk(context.Background(), dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("desk, %s: %v", damage, err)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, fileName), []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "is damaged: put a backup") {
		t.Errorf("garbage: %v", err)
	}
	if _, err := OpenDesk(context.Background(), dir); err == nil || !strings.Contains(err.Error(), "is damaged: put a backup") {
		t.Errorf("desk, garbage: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, fileName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDesk(context.Background(), dir); err == nil || !strings.Contains(err.Error(), "holds no state") {
		t.Errorf("desk, empty: %v", err)
	}
}

// TestMigrationsAreNumbered: the n-th file brings the schema to n.
func TestMigrationsAreNumbered(t *testing.T) {
	list, err := migrations.ReadDir("migration")
	if err != nil || len(list) == 0 {
		t.Fatal(err)
	}
	for i, f := range list {
		if !strings.HasPrefix(f.Name(), fmt.Sprintf("%04d-", i+1)) {
			t.Errorf("migration %d is called %s", i+1, f.Name())
		}
	}
}

// TestOverload: when the disk does not keep up, an alert is told with one that waits for
// the same finding; any other is dropped, counted and covered by a gap.
func TestOverload(t *testing.T) {
	q := newQueue(2, false)
	for n, want := range []bool{false, false, false} {
		a, state := nth(n)
		if got, err := q.put(context.Background(), a, state); got != want || err != nil {
			t.Errorf("alert %d: coalesced %v, %v", n, got, err)
		}
	}
	a, state := nth(1)
	a.Kind = alert.FindingRaised
	a.Finding.Attempts = 9
	if coalesced, _ := q.put(context.Background(), a, state); !coalesced {
		t.Error("an alert of a finding that waits is not told with it")
	}
	w := q.take()
	if len(w.alerts) != 2 || w.alerts[1].Kind != alert.FindingOpened || w.alerts[1].Finding.Attempts != 9 || w.dropped != 1 || len(w.states) != 3 {
		t.Errorf("%d alerts, the second %v, %d dropped, %d states", len(w.alerts), w.alerts[1].Kind, w.dropped, len(w.states))
	}

	s := opened(t, Config{Dir: t.TempDir(), Maker: alert.Maker{Sensor: "s"}})
	defer closed(t, s)
	if _, err := s.Cursor(context.Background(), "siem"); err != nil {
		t.Fatal(err)
	}
	if err := s.commit(&w); err != nil {
		t.Fatal(err)
	}
	entries, err := s.Next(context.Background(), "siem", 0, 10)
	if err != nil || len(entries) != 3 {
		t.Fatal(len(entries), err)
	}
	last := entries[2].Alert
	if last.Kind != alert.HealthGap || *last.Gap != (alert.Gap{First: 3, Last: 3, Count: 1, Reason: queueFull}) || last.Seq != 3 {
		t.Errorf("gap %+v numbered %d", last.Gap, last.Seq)
	}
	if h := s.Heartbeat(); h.AlertsDropped != 1 {
		t.Errorf("heartbeat %+v", h)
	}
}

// TestHeartbeatCountsWhatWasToldTogether, which is in no gap: nothing is missing.
func TestHeartbeatCountsWhatWasToldTogether(t *testing.T) {
	s := &Store{queue: newQueue(1, false)}
	for n, want := range []uint64{0, 1, 2} {
		a, state := nth(0)
		if err := s.Put(context.Background(), a, state); err != nil {
			t.Fatal(err)
		}
		if h := s.Heartbeat(); h.AlertsCoalesced != want || h.AlertsDropped != 0 {
			t.Errorf("after %d: %+v", n+1, h)
		}
	}
}

// covered checks that numbers and gaps account for all of 1 to last, each once.
func covered(entries []*alert.Alert, last uint64) error {
	next := uint64(1)
	for _, a := range entries {
		first := a.Seq
		if a.Gap != nil {
			if first = a.Gap.First; a.Gap.Last != a.Seq || a.Gap.Count != a.Seq-first+1 {
				return fmt.Errorf("gap %+v numbered %d", *a.Gap, a.Seq)
			}
		}
		if first != next {
			return fmt.Errorf("%s numbered %d begins at %d, want %d", a.Kind, a.Seq, first, next)
		}
		next = a.Seq + 1
	}
	if next != last+1 {
		return fmt.Errorf("ends at %d, want %d", next-1, last)
	}
	return nil
}

// TestQuota: whatever is put and delivered, the outbox stays within its quota, and
// numbers and gaps together leave no hole for a sink that has got nothing yet.
func TestQuota(t *testing.T) {
	dir, round := t.TempDir(), 0
	rapid.Check(t, func(r *rapid.T) {
		round++
		policy := rapid.SampledFrom([]Policy{DropOldest, DropNewest}).Draw(r, "policy")
		s, err := Open(context.Background(), Config{Dir: filepath.Join(dir, fmt.Sprint(round)), Maker: alert.Maker{Sensor: "s"}, MaxAlerts: 32, Policy: policy, unsafe: true})
		if err != nil {
			r.Fatal(err)
		}
		defer func() {
			if err := s.Close(); err != nil {
				r.Error(err)
			}
		}()
		ctx := context.Background()
		for _, sink := range []string{"slow", "quick"} {
			if _, err := s.Cursor(ctx, sink); err != nil {
				r.Fatal(err)
			}
		}
		n, dropped := 0, 0
		for range rapid.IntRange(1, 8).Draw(r, "steps") {
			more := rapid.IntRange(1, 40).Draw(r, "alerts")
			for range more {
				a, state := nth(n)
				n++
				if err := s.Put(ctx, a, state); err != nil {
					r.Fatal(err)
				}
			}
			if err := s.Sync(ctx); err != nil {
				r.Fatal(err)
			}
			if rapid.Bool().Draw(r, "quick") {
				if err := s.Settle(ctx, "quick", alert.Settlement{UpTo: s.Seq()}); err != nil {
					r.Fatal(err)
				}
			}
			entries, err := s.Next(ctx, "slow", 0, 1000)
			if err != nil {
				r.Fatal(err)
			}
			if len(entries) > 33 { // a gap stands beside what fits
				r.Fatalf("%d entries", len(entries))
			}
			var list []*alert.Alert
			dropped = n
			for _, e := range entries {
				list = append(list, e.Alert)
				if e.Alert.Gap == nil {
					dropped--
				}
			}
			if err := covered(list, s.Seq()); err != nil {
				r.Fatalf("%s: %v", policy, err)
			}
		}
		if h := s.Heartbeat(); h.AlertsDropped != uint64(dropped) {
			r.Errorf("%s: %d alerts are missing, the heartbeat says %d", policy, dropped, h.AlertsDropped)
		}
		gaps := 0
		entries, _ := s.Next(ctx, "slow", 0, 1000)
		for _, e := range entries {
			if e.Alert.Gap != nil {
				gaps++
			}
		}
		if policy == DropOldest && gaps > 1 {
			r.Errorf("%d gaps, want one", gaps)
		}
	})
}

func TestStopAtQuota(t *testing.T) {
	s := opened(t, Config{Dir: t.TempDir(), MaxAlerts: 10, Policy: Stop})
	if _, err := s.Cursor(context.Background(), "siem"); err != nil {
		t.Fatal(err)
	}
	for n := range 11 {
		a, state := nth(n)
		_ = s.Put(context.Background(), a, state)
	}
	err := s.Sync(context.Background())
	if err == nil || !strings.Contains(err.Error(), "outbox drop") {
		t.Errorf("error %v", err)
	}
	a, state := nth(12)
	if s.Put(context.Background(), a, state) == nil {
		t.Error("goes on after it stopped")
	}
	if s.Close() == nil {
		t.Error("Close does not say that alerts were not written")
	}
}

// TestDeliveredGoes: what all sinks have leaves the outbox, and the file does not keep
// its size for ever.
func TestDeliveredGoes(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, Config{Dir: dir})
	ctx := context.Background()
	for _, sink := range []string{"a", "b"} {
		if _, err := s.Cursor(ctx, sink); err != nil {
			t.Fatal(err)
		}
	}
	put(t, s, 0, 3000)
	settle := func(sink string, to uint64) {
		if err := s.Settle(ctx, sink, alert.Settlement{UpTo: to}); err != nil {
			t.Fatal(err)
		}
		if err := s.Sync(ctx); err != nil {
			t.Fatal(err)
		}
	}
	settle("a", 3000)
	if n := s.snapshot().alerts; n != 3000 {
		t.Errorf("%d alerts although a sink has none", n)
	}
	settle("b", 2900)
	if got := seqs(t, s, "b", 2900); len(got) != 100 {
		t.Errorf("%d alerts wait", len(got))
	}
	settle("b", 3000)
	for range 20 {
		put(t, s, 0, 1)
		settle("a", s.Seq())
		settle("b", s.Seq())
	}
	p := s.snapshot()
	if p.alerts != 0 || p.bytes != 0 {
		t.Errorf("%d alerts of %d bytes are left", p.alerts, p.bytes)
	}
	var free, pages int
	_ = s.db.QueryRow("PRAGMA freelist_count").Scan(&free)
	_ = s.db.QueryRow("PRAGMA page_count").Scan(&pages)
	if free > pages/2 {
		t.Errorf("%d of %d pages are empty", free, pages)
	}
	closed(t, s)
}

func TestDeadLetters(t *testing.T) {
	s := opened(t, Config{Dir: t.TempDir()})
	defer closed(t, s)
	ctx := context.Background()
	if _, err := s.Cursor(ctx, "siem"); err != nil {
		t.Fatal(err)
	}
	put(t, s, 0, 5)
	entries, err := s.Next(ctx, "siem", 0, 5)
	if err != nil {
		t.Fatal(err)
	}
	set := alert.Settlement{UpTo: 3, Dead: []alert.DeadLetter{{Seq: 2, Alert: entries[1].Alert, Reason: "mapping"}}}
	for range 2 { // the second time after a crash: still one letter
		if err := s.Settle(ctx, "siem", set); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.db.Exec("UPDATE dead SET retry = 1"); err != nil {
		t.Fatal(err)
	}
	list, err := s.Next(ctx, "siem", 3, 5)
	if err != nil || len(list) != 1 || list[0].Retry == 0 || list[0].Alert.Seq != 2 {
		t.Fatalf("to be tried again: %+v, %v", list, err)
	}
	refused := alert.Settlement{Dead: []alert.DeadLetter{{Seq: 2, Retry: list[0].Retry, Alert: list[0].Alert, Reason: "still"}}}
	if err := s.Settle(ctx, "siem", refused); err != nil {
		t.Fatal(err)
	}
	if list, _ := s.Next(ctx, "siem", 3, 5); len(list) != 2 || list[0].Retry != 0 {
		t.Fatalf("what was refused again comes back by itself: %+v", list)
	}
	if err := s.Settle(ctx, "siem", alert.Settlement{Retried: []int64{list[0].Retry}}); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := s.db.QueryRow("SELECT count(*) FROM dead").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d dead letters, %v", n, err)
	}
}

func TestForgetting(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, Config{Dir: dir})
	put(t, s, 0, 20)
	a, state := nth(99)
	state.LastSeen = int64(25 * time.Hour)
	if err := s.Put(context.Background(), a, state); err != nil {
		t.Fatal(err)
	}
	closed(t, s)
	s = opened(t, Config{Dir: dir, MaxFindings: 5})
	if list, err := s.Findings(context.Background()); err != nil || len(list) != 5 || !slices.ContainsFunc(list, func(f detect.State) bool { return f.ID == state.ID }) {
		t.Errorf("%d findings, %v", len(list), err)
	}
	closed(t, s)
	s = opened(t, Config{Dir: dir, Retention: 24 * time.Hour})
	if list, err := s.Findings(context.Background()); err != nil || len(list) != 1 {
		t.Errorf("%d findings, %v", len(list), err)
	}
	closed(t, s)
}

// TestBrokenOffReplay: a replay that did not end is taken back, and its captures raise
// what is left to raise.
func TestBrokenOffReplay(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	var mu sync.Mutex
	var raised []string
	conf := Config{Dir: dir, Committed: func(list []*alert.Alert) {
		mu.Lock()
		defer mu.Unlock()
		for _, a := range list {
			raised = append(raised, a.ID)
		}
	}}
	s := opened(t, conf)
	put(t, s, 0, 2) // remembered before
	captures := []Capture{{Hash: "aa", Path: "a.pcap"}}
	if broken, err := s.BeginReplay(ctx, captures); broken || err != nil {
		t.Fatal(broken, err)
	}
	put(t, s, 1, 5)
	closed(t, s) // as good as killed: EndReplay was not called

	s = opened(t, conf)
	if broken, err := s.BeginReplay(ctx, captures); !broken || err != nil {
		t.Fatal(broken, err)
	}
	if list, _ := s.Findings(ctx); len(list) != 2 {
		t.Errorf("%d findings after the replay was taken back, want 2", len(list))
	}
	put(t, s, 1, 8)
	if err := s.EndReplay(ctx, captures); err != nil {
		t.Fatal(err)
	}
	seen, err := s.Replayed(ctx, []Capture{captures[0], {Hash: "aa", Part: "later"}, {Hash: "bb"}})
	if err != nil || !slices.Equal(seen, []bool{true, false, false}) {
		t.Errorf("replayed: %v, %v", seen, err)
	}
	if list, _ := s.Findings(ctx); len(list) != 8 {
		t.Errorf("%d findings, want 8", len(list))
	}
	closed(t, s)
	mu.Lock()
	defer mu.Unlock()
	want := []int{0, 1, 1, 2, 3, 4, 5, 6, 7} // 1 before and during the replay, the rest once
	if len(raised) != len(want) || s.place.seq != uint64(len(want)) {
		t.Fatalf("%d alerts raised, want %d", len(raised), len(want))
	}
	for i, n := range want {
		if a, _ := nth(n); raised[i] != a.ID {
			t.Errorf("alert %d is not that of finding %d", i, n)
		}
	}
}
