package detect

import (
	"encoding/json"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"telltale/capture"
	"telltale/feeds/geo"
)

// episodes are stretches of traffic that need nothing remembered but Findings.
var episodes = map[string]func(b *bench){
	"update":  func(b *bench) { b.tls(host1, vendorIP+":443", update, other, capture.Exchanged) },
	"blocked": func(b *bench) { b.tls(host1, vendorIP+":443", update, other, capture.Refused) },
	"visit":   func(b *bench) { b.tls(host2, vendorIP+":443", website, chrome, capture.Exchanged) },
	"asked": func(b *bench) {
		b.ask(host2, resolver, update)
		b.answer(host2, resolver, update, 3)
	},
	"imitation": func(b *bench) {
		b.tls(host2, vendorIP+":443", "kaspersky-login.example.com", chrome, capture.Exchanged)
	},
	"foreign": func(b *bench) { b.nameless(host1, "77.88.8.8:443", capture.Exchanged) },
	"plain":   func(b *bench) { b.tls(host2, "198.51.100.7:443", "www.example.org", chrome, capture.Exchanged) },
	"day":     func(b *bench) { b.wait(25 * time.Hour) },
	"month":   func(b *bench) { b.wait(31 * 24 * time.Hour) },
	"minutes": func(b *bench) { b.wait(10 * time.Minute) },
}

func watching(t testing.TB) Config {
	t.Helper()
	db, err := geo.Open(geo.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := geo.NewWatch(geo.WatchConfig{WatchedCountries: []string{"RU"}})
	if err != nil {
		t.Fatal(err)
	}
	return Config{Geo: db, Watch: w}
}

func states(e *Engine) []State {
	var all []State
	for _, f := range e.Findings() {
		all = append(all, e.State(f))
	}
	return all
}

// remembered sends states through the form they are stored in.
func remembered(t testing.TB, list []State) []State {
	t.Helper()
	b, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	var back []State
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

// TestRestartChangesNothing: whatever happens before and after a restart, the Engine
// that was restored tells and holds what one that ran on does.
func TestRestartChangesNothing(t *testing.T) {
	conf := watching(t)
	names := make([]string, 0, len(episodes))
	for n := range episodes {
		names = append(names, n)
	}
	slices.Sort(names)
	first := newBench(t, conf) // compiles the packs once
	conf.Set = first.set
	fresh := func(r *rapid.T) *bench {
		b := &bench{t: t, now: first.now}
		var err error
		b.Engine, err = New(conf, func(c Change) {
			b.changes = append(b.changes, c.Kind.String()+" "+c.Finding.ID+" "+c.Finding.Class.String())
		})
		if err != nil {
			r.Fatal(err)
		}
		return b
	}
	rapid.Check(t, func(r *rapid.T) {
		list := rapid.SliceOfN(rapid.SampledFrom(names), 1, 12).Draw(r, "episodes")
		cut := rapid.IntRange(0, len(list)).Draw(r, "restart")
		whole, before, after := fresh(r), fresh(r), fresh(r)
		for i, n := range list {
			episodes[n](whole)
			if i < cut {
				episodes[n](before)
				after.now, after.packet = before.now, before.packet
				continue
			}
			if i == cut {
				if left := after.Restore(remembered(t, states(before.Engine))); left != 0 {
					r.Fatalf("%d findings were left out", left)
				}
			}
			episodes[n](after)
		}
		if cut == len(list) {
			after.Restore(remembered(t, states(before.Engine)))
		}
		if d := cmp.Diff(whole.changes, append(before.changes, after.changes...)); d != "" {
			r.Errorf("changes (-one run +restarted)\n%s", d)
		}
		opts := []cmp.Option{cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}, netip.Prefix{}), cmpopts.EquateEmpty()}
		if d := cmp.Diff(states(whole.Engine), states(after.Engine), opts...); d != "" {
			r.Errorf("findings (-one run +restarted)\n%s", d)
		}
	})
}

// TestChangedNamesAllThatChanged: what Changed visits is enough to keep a copy.
func TestChangedNamesAllThatChanged(t *testing.T) {
	b := newBench(t, watching(t))
	kept := map[string]State{}
	b.after = func() {
		b.Changed(func(f *Finding) { kept[f.ID] = b.State(f) })
		for _, f := range b.findings {
			got, want := kept[f.ID], b.State(f)
			got.HostLast = want.HostLast // of the host, which says nothing of the Finding
			if d := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}, netip.Prefix{})); d != "" {
				t.Fatalf("-is +kept\n%s", d)
			}
		}
	}
	for _, n := range []string{"update", "foreign", "minutes", "visit", "blocked", "plain", "day", "plain", "asked", "imitation", "month", "plain", "update"} {
		episodes[n](b)
	}
	if len(kept) < 5 {
		t.Fatalf("only %d findings", len(kept))
	}
	b.Changed(func(f *Finding) { t.Errorf("%s changed although nothing happened", f.ID) })
}

// TestWithdrawnIndicator: what rests on an indicator that the packs no longer have
// counts no more, and is told of again if it comes back.
func TestWithdrawnIndicator(t *testing.T) {
	b := newBench(t, Config{})
	episodes["update"](b)
	list := states(b.Engine)
	for i := range list {
		for j := range list[i].Hits {
			list[i].Hits[j].Indicator = "kaspersky:suffix:withdrawn.example"
		}
	}
	list = append(list, State{ID: "x", Vendor: "not-a-pack", Host: Host{Addr: netip.MustParseAddr(host1)}})
	after := newBench(t, Config{})
	if left := after.Restore(list); left != 1 {
		t.Errorf("%d findings were left out, want that of the unknown vendor", left)
	}
	if f := after.finding("kaspersky"); f.Class.String() != "none" {
		t.Errorf("class %s rests on nothing", f.Class)
	}
	episodes["update"](after)
	if f := after.finding("kaspersky"); f.Class.String() != "installed" || len(after.changes) != 1 {
		t.Errorf("class %s, changes %q", f.Class, after.changes)
	}
}
