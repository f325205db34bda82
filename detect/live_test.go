package detect

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"telltale/capture"
	"telltale/feeds"
)

// TestAdvance: summaries come by the time alone, and not before anything was observed.
func TestAdvance(t *testing.T) {
	b := newBench(t, Config{})
	b.Advance(b.now)
	b.tls("10.0.0.1", "192.0.2.1:443", "dnl-01.geo.kaspersky.com", "aaaaaaaaaaaa", capture.Exchanged)
	b.changes = nil
	b.wait(time.Hour)
	b.Advance(b.now)
	if len(b.changes) != 0 {
		t.Errorf("after an hour: %v", b.changes)
	}
	b.wait(24 * time.Hour)
	b.Advance(b.now)
	b.Advance(b.now)
	if !slices.Equal(b.changes, []string{"summary vendor kaspersky installed"}) {
		t.Errorf("after a day: %v", b.changes)
	}
}

// TestReload: what was found stays one Finding, and what is excused from now on is
// told no more.
func TestReload(t *testing.T) {
	b := newBench(t, Config{})
	contact := func() {
		b.tls("10.0.0.1", "192.0.2.1:443", "dnl-01.geo.kaspersky.com", "aaaaaaaaaaaa", capture.Exchanged)
		b.wait(time.Hour)
	}
	contact()
	lib, err := feeds.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	set, err := feeds.Compile(lib, feeds.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Reload(Config{}); err == nil {
		t.Error("a configuration without knowledge was taken")
	}
	conf := Config{Set: set, Home: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}
	if err := b.Reload(conf); err != nil {
		t.Fatal(err)
	}
	contact()
	list := b.Findings()
	if len(list) != 1 || list[0].Exchanges != 2 || len(list[0].hits) != 1 {
		t.Fatalf("%d findings, the first with %d exchanges", len(list), list[0].Exchanges)
	}
	if list[0].hits[0].match.Vendor != set.Vendor("kaspersky") {
		t.Error("the finding still rests on the old knowledge")
	}
	if b.hosts.get(netip.MustParseAddr("10.0.0.1")).home {
		t.Error("the host is still taken for one's own")
	}
	conf.Allow = []Allow{{Vendor: "kaspersky", Reason: "lab", Owner: "me", Expires: time.Unix(0, b.now).Add(time.Hour * 1000)}}
	if err := b.Reload(conf); err != nil {
		t.Fatal(err)
	}
	b.changes = nil
	contact()
	b.wait(48 * time.Hour)
	b.Advance(b.now)
	if len(b.changes) != 0 {
		t.Errorf("an excused finding was told: %v", b.changes)
	}
}
