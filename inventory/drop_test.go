package inventory

import (
	"context"
	"slices"
	"strings"
	"testing"

	"telltale/alert"
)

// deskWith returns a Desk on a Store that holds n alerts for the sinks a and b, of which
// what dead names were refused by a.
func deskWith(t *testing.T, n int, dead ...uint64) (dir string, d *Desk) {
	t.Helper()
	dir, ctx := t.TempDir(), context.Background()
	s := opened(t, Config{Dir: dir, Maker: alert.Maker{Sensor: "s"}})
	for _, sink := range []string{"a", "b"} {
		if _, err := s.Cursor(ctx, sink); err != nil {
			t.Fatal(err)
		}
	}
	put(t, s, 0, n)
	if len(dead) > 0 {
		set := alert.Settlement{UpTo: dead[len(dead)-1]}
		for _, seq := range dead {
			a, _ := nth(int(seq) - 1)
			a.Number(s.place.epoch, seq)
			set.Dead = append(set.Dead, alert.DeadLetter{Seq: seq, Alert: a, Reason: "mapping"})
		}
		if err := s.Settle(ctx, "a", set); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, s)
	d, err := OpenDesk(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return dir, d
}

// TestDeskNames: what is not there is an error that says so, and a forgotten sink shows
// with the dead letters it left.
func TestDeskNames(t *testing.T) {
	_, d := deskWith(t, 5, 2)
	ctx := context.Background()
	_, err := d.Dead(ctx, "nosuch", 9)
	_, err2 := d.Retry(ctx, "nosuch", 0)
	_, err3 := d.Retry(ctx, "b", 1)
	_, err4 := d.DropDead(ctx, "nosuch", 0)
	_, err5 := d.DropDead(ctx, "", 77)
	for i, want := range []string{`no sink "nosuch"`, `no sink "nosuch"`, "no dead letter 1:", `no sink "nosuch"`, "no dead letter 77:"} {
		if err := []error{err, err2, err3, err4, err5}[i]; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d: %v, want %s", i, err, want)
		}
	}
	if _, _, err := d.Drop(ctx, "a", true); err != nil {
		t.Fatal(err)
	}
	s, err := d.Status(ctx)
	if err != nil || len(s.Sinks) != 2 || !s.Sinks[0].Forgotten || s.Sinks[0].Dead != 2 || s.Sinks[0].Waiting != 0 || s.Sinks[1].Forgotten || s.InUse {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestDeskCountsWhatWaits: what every sink has is not counted, though it is still there.
func TestDeskCountsWhatWaits(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, Config{Dir: dir})
	ctx := context.Background()
	if _, err := s.Cursor(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	put(t, s, 0, 5)
	if err := s.Settle(ctx, "a", alert.Settlement{UpTo: 3}); err != nil {
		t.Fatal(err)
	}
	closed(t, s)
	d, err := OpenDesk(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	st, err := d.Status(ctx)
	list, err2 := d.Peek(ctx, "", 9)
	if err != nil || err2 != nil || st.Waiting != 2 || len(list) != 2 || list[0].Seq != 4 {
		t.Errorf("%+v, %d wait, %v %v", st, len(list), err, err2)
	}
}

// told reads all that a sink is sent from now on, as the Dispatcher does.
func told(t *testing.T, dir, sink string) (list []*alert.Alert) {
	t.Helper()
	ctx := context.Background()
	s := opened(t, Config{Dir: dir, Maker: alert.Maker{Sensor: "s"}})
	defer closed(t, s)
	at, err := s.Cursor(ctx, sink)
	if err != nil {
		t.Fatal(err)
	}
	for {
		entries, err := s.Next(ctx, sink, at, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			return list
		}
		var set alert.Settlement
		for _, e := range entries {
			list = append(list, e.Alert)
			if e.Retry != 0 {
				set.Retried = append(set.Retried, e.Retry)
			} else {
				at, set.UpTo = e.Seq, e.Seq
			}
		}
		if err := s.Settle(ctx, sink, set); err != nil {
			t.Fatal(err)
		}
	}
}

// gapsOf returns the gaps among alerts.
func gapsOf(list []*alert.Alert) (gaps []alert.Gap) {
	for _, a := range list {
		if a.Gap != nil {
			gaps = append(gaps, *a.Gap)
		}
	}
	return gaps
}

// TestDropLeavesAGap: what an operator gives up for a sink is told to it as one gap, in
// order, once; other sinks get the alerts.
func TestDropLeavesAGap(t *testing.T) {
	dir, d := deskWith(t, 30)
	ctx := context.Background()
	after, last, err := d.Drop(ctx, "a", false)
	if err != nil || after != 0 || last != 30 {
		t.Fatal(after, last, err)
	}
	s := opened(t, Config{Dir: dir, Maker: alert.Maker{Sensor: "s"}})
	put(t, s, 30, 33)
	epoch := s.place.epoch
	closed(t, s)
	list := told(t, dir, "a")
	want := []alert.Gap{{First: 1, Last: 30, Count: 30, Reason: givenUp}}
	if !slices.Equal(gapsOf(list), want) || len(list) != 4 {
		t.Fatalf("%d alerts, gaps %+v, want 4 and %+v", len(list), gapsOf(list), want)
	}
	if err := covered(list, 33); err != nil {
		t.Error(err)
	}
	if g := list[0]; g.Kind != alert.HealthGap || g.Sensor != "s" || g.Epoch != epoch || g.Time == 0 {
		t.Errorf("the gap is %+v", g)
	}
	if again := told(t, dir, "a"); len(again) != 0 {
		t.Errorf("told again: %d alerts", len(again))
	}
	if list := told(t, dir, "b"); len(list) != 33 || len(gapsOf(list)) != 0 {
		t.Errorf("the other sink has %d alerts and gaps %+v", len(list), gapsOf(list))
	}
	if after, last, err = d.Drop(ctx, "a", false); err != nil || after != last {
		t.Errorf("nothing waits, yet %d to %d were dropped, %v", after, last, err)
	}
	if list := told(t, dir, "a"); len(list) != 0 {
		t.Errorf("a gap of nothing: %+v", gapsOf(list))
	}
}

// TestForgottenSinkReturns: it learns what was given up for it.
func TestForgottenSinkReturns(t *testing.T) {
	dir, d := deskWith(t, 5)
	if _, _, err := d.Drop(context.Background(), "a", true); err != nil {
		t.Fatal(err)
	}
	s, err := d.Status(context.Background())
	if err != nil || len(s.Sinks) != 1 || s.Sinks[0].Sink != "b" {
		t.Errorf("sinks %+v, %v", s.Sinks, err)
	}
	if got := gapsOf(told(t, dir, "a")); len(got) != 1 || got[0].Last != 5 {
		t.Errorf("gaps %+v", got)
	}
}

// TestDropDeadLeavesGaps: one gap for each stretch of refused alerts; a gap that waits to
// be told stays, one that was refused goes without another.
func TestDropDeadLeavesGaps(t *testing.T) {
	dir, d := deskWith(t, 20, 3, 4, 5, 9, 12)
	ctx := context.Background()
	letters, err := d.Dead(ctx, "", 100)
	if err != nil || len(letters) != 5 {
		t.Fatal(len(letters), err)
	}
	if n, err := d.DropDead(ctx, "", letters[3].Number); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := d.DropDead(ctx, "a", 0); n != 4 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := d.DropDead(ctx, "a", 0); n != 0 || err != nil {
		t.Errorf("%d gaps that wait were deleted, %v", n, err)
	}
	want := []alert.Gap{
		{First: 9, Last: 9, Count: 1, Reason: givenUp}, {First: 3, Last: 5, Count: 3, Reason: givenUp}, {First: 12, Last: 12, Count: 1, Reason: givenUp},
	}
	if _, err := d.db.Exec("UPDATE dead SET retry = 0"); err != nil { // as if they were refused
		t.Fatal(err)
	}
	if _, err := d.Retry(ctx, "a", 0); err != nil {
		t.Fatal(err)
	}
	if got := gapsOf(told(t, dir, "a")); !slices.Equal(got, want) {
		t.Errorf("gaps %+v\nwant %+v", got, want)
	}
	_, refused := deskWith(t, 5, 2)
	for _, want := range []int64{1, 1, 0} { // the alert, then its gap
		n, err := refused.DropDead(ctx, "", 0)
		if n != want || err != nil {
			t.Errorf("%d letters were dropped, want %d, %v", n, want, err)
		}
		if _, err := refused.db.Exec("UPDATE dead SET retry = 0"); err != nil {
			t.Fatal(err)
		}
	}
}
