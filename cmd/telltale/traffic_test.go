package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale/feeds"
	"telltale/testdata/generate"
)

// judged replays a capture in memory and returns, for every finding of a vendor, the
// strongest class that was told: "host vendor class".
func judged(t *testing.T, pcap []byte, err error, args ...string) []string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "made.pcap")
	if err := os.WriteFile(path, pcap, 0o644); err != nil {
		t.Fatal(err)
	}
	status, alerts, errs := call(t, append([]string{"replay", "--watch-country=none", path}, args...)...)
	if status != exitOK {
		t.Fatalf("exit status %d\n%s", status, errs)
	}
	best := map[string]feeds.Class{}
	for line := range strings.Lines(alerts) {
		var a struct {
			Vendor string
			Class  feeds.Class
			Host   struct{ IP string }
		}
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		key := a.Host.IP + " " + a.Vendor
		best[key] = max(best[key], a.Class)
	}
	var all []string
	for k, c := range best {
		all = append(all, fmt.Sprintf("%s %s", k, c))
	}
	slices.Sort(all)
	return all
}

// pages returns names of web sites, content networks and embedded scripts of every
// vendor, as a browser asks for them.
func pages(t *testing.T) []string {
	t.Helper()
	lib, err := feeds.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range lib.Packs {
		n := 0
		for _, i := range p.Indicators {
			if !i.Kind.IsName() || i.Kind == feeds.KindRegex || i.Implies > feeds.Visited || n == 12 {
				continue
			}
			n++
			names = append(names, i.Value)
			if i.Kind == feeds.KindSuffix {
				names = append(names, "www."+i.Value)
			}
		}
	}
	return names
}

// TestVisitsAreVisits: a thousand visits to vendors' pages, content networks and
// embedded scripts never look like an installed product.
func TestVisitsAreVisits(t *testing.T) {
	names := pages(t)
	if len(names) < 100 {
		t.Fatalf("%d names only", len(names))
	}
	for seed := range uint64(2) {
		c, err := generate.Visits(1000, names, seed)
		if err != nil {
			t.Fatal(err)
		}
		contactsFound(t, c)
		found := judged(t, c.PCAP, nil)
		visited := 0
		for _, f := range found {
			switch {
			case strings.HasSuffix(f, " visited"):
				visited++
			case !strings.HasSuffix(f, " resolved") && !strings.HasSuffix(f, " none") && !strings.HasSuffix(f, " located"):
				t.Errorf("seed %d: %s", seed, f)
			}
		}
		if visited < 6 {
			t.Errorf("seed %d: %d findings of visits, the traffic was not understood: %v", seed, visited, found)
		}
	}
}

// contactsFound holds what is observed against what the generator put in.
func contactsFound(t *testing.T, c *generate.Capture) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "made.pcap")
	if err := os.WriteFile(path, c.PCAP, 0o644); err != nil {
		t.Fatal(err)
	}
	_, observed, _ := call(t, "observe", path)
	seen := map[generate.Contact]bool{}
	for line := range strings.Lines(observed) {
		var o struct {
			Proto, Name string
			Src         netip.Addr
		}
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		seen[generate.Contact{Client: o.Src, Protocol: o.Proto, Name: o.Name}] = true
	}
	if len(c.Contacts) == 0 {
		t.Fatal("the generator made no contacts")
	}
	for _, want := range c.Contacts {
		if !seen[want] {
			t.Errorf("not observed: %v", want)
		}
	}
}

// product makes a host with an updater and its reputation cloud.
func product(t *testing.T, seed uint64, blocked bool) *generate.Capture {
	t.Helper()
	c, err := generate.Updater(generate.UpdaterConfig{Hosts: 2, Rounds: 6, Every: 2 * time.Hour, Blocked: blocked, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestProductIsFound: an updater with its reputation cloud, and the same where its
// contacts are blocked.
func TestProductIsFound(t *testing.T) {
	for _, blocked := range []bool{false, true} {
		for seed := range uint64(3) {
			c := product(t, seed, blocked)
			contactsFound(t, c)
			found := judged(t, c.PCAP, nil)
			installed := 0
			for _, f := range found {
				if strings.HasSuffix(f, " kaspersky installed") {
					installed++
				}
			}
			if installed != 2 {
				t.Errorf("blocked %v, seed %d: %v", blocked, seed, found)
			}
		}
	}
}

// TestSameMeaning: packets cut, swapped, doubled or fragmented mean the same.
func TestSameMeaning(t *testing.T) {
	pcap := product(t, 1, false).PCAP
	want := judged(t, pcap, nil)
	tests := map[string]func() ([]byte, error){
		"segments of 100 bytes": func() ([]byte, error) { return generate.CutSegments(pcap, 100) },
		"segments of 7 bytes":   func() ([]byte, error) { return generate.CutSegments(pcap, 7) },
		"swapped neighbours":    func() ([]byte, error) { return generate.SwapNeighbours(pcap, 3) },
		"duplicates":            func() ([]byte, error) { return generate.Duplicate(pcap, 2) },
		"fragments":             func() ([]byte, error) { return generate.Fragment(pcap, 64) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			changed, err := change()
			if got := judged(t, changed, err); !slices.Equal(got, want) {
				t.Errorf("found %v, want %v", got, want)
			}
		})
	}
}
