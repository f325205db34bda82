package inventory

import (
	"context"
	"fmt"
	"net/netip"
	"testing"

	"telltale/alert"
	"telltale/detect"
	"telltale/feeds"
)

// maker makes the alerts of tests.
var testFinding = detect.Finding{
	Topic: detect.AboutVendor, Class: feeds.Installed, Vendor: "kaspersky",
	Host: detect.Host{Addr: netip.MustParseAddr("10.0.0.1")}, Names: []string{"a.example"},
	Facts: []detect.Fact{{Text: "request to a.example", Indicator: "kaspersky:suffix:a.example", Packet: 3}},
}

// nth returns an alert and a state of the n-th finding.
func nth(n int) (*alert.Alert, *detect.State) {
	f := testFinding
	f.ID = fmt.Sprintf("%024x", n)
	f.FirstSeen, f.LastSeen = int64(n+1), int64(n+1)
	m := alert.Maker{Sensor: "s", Packs: "p"}
	a := m.Change(detect.Change{Kind: detect.Opened, Time: int64(n + 1), Packet: uint64(n + 1), Finding: &f})
	return a, &detect.State{ID: f.ID, Vendor: f.Vendor, Class: f.Class, Host: f.Host, FirstSeen: f.FirstSeen, LastSeen: f.LastSeen, Opened: true}
}

func opened(t testing.TB, conf Config) *Store {
	t.Helper()
	s, err := Open(context.Background(), conf)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t testing.TB, s *Store, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		a, state := nth(n)
		if err := s.Put(context.Background(), a, state); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func closed(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// seqs reads all that waits for a sink.
func seqs(t testing.TB, s *Store, sink string, after uint64) (list []uint64) {
	t.Helper()
	for {
		entries, err := s.Next(context.Background(), sink, after, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			return list
		}
		for _, e := range entries {
			if e.Err != nil || e.Alert.Seq != e.Seq {
				t.Fatalf("entry %d: %v", e.Seq, e.Err)
			}
			list = append(list, e.Seq)
		}
		after = list[len(list)-1]
	}
}

func TestStateSurvives(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, Config{Dir: dir, Maker: alert.Maker{Sensor: "s"}})
	ctx := context.Background()
	if c, err := s.Cursor(ctx, "siem"); err != nil || c != 0 {
		t.Fatal(c, err)
	}
	put(t, s, 0, 50)
	epoch := s.place.epoch
	if err := s.Settle(ctx, "siem", alert.Settlement{UpTo: 20}); err != nil {
		t.Fatal(err)
	}
	closed(t, s)

	s = opened(t, Config{Dir: dir, Maker: alert.Maker{Sensor: "s"}})
	defer closed(t, s)
	if s.Seq() != 50 || s.place.epoch != epoch || epoch == 0 {
		t.Errorf("seq %d of epoch %d, want 50 of %d", s.Seq(), s.place.epoch, epoch)
	}
	list, err := s.Findings(ctx)
	if err != nil || len(list) != 50 || list[7].ID != fmt.Sprintf("%024x", 7) || !list[7].Opened {
		t.Fatalf("%d findings, %v", len(list), err)
	}
	after, err := s.Cursor(ctx, "siem")
	if err != nil || after != 20 {
		t.Fatalf("the sink is at %d, %v", after, err)
	}
	put(t, s, 50, 60)
	got := seqs(t, s, "siem", after)
	if len(got) != 40 || got[0] != 21 || got[39] != 60 {
		t.Errorf("waiting: %v", got)
	}
	if c, _ := s.Cursor(ctx, "late"); c != 60 {
		t.Errorf("a new sink begins at %d, want 60", c)
	}
}
