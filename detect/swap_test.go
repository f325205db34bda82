package detect

import (
	"net/netip"
	"testing"

	"telltale/capture"
	"telltale/feeds"
)

// knowledge compiles the shipped packs anew, with a list beside them.
func knowledge(t testing.TB, opts feeds.Options, names ...string) *feeds.Set {
	t.Helper()
	lib, err := feeds.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	f := &feeds.Feed{
		Name: "own", Vendor: feeds.Vendor{ID: "acme", Name: "Acme"}, Function: feeds.FuncUpdate,
		Implies: feeds.Installed, Confidence: feeds.High,
	}
	f.AddPrefix(netip.MustParsePrefix("198.51.100.0/24"))
	f.AddURL("files.example.org", "/bad")
	for _, n := range names {
		f.AddName([]byte(n), feeds.ReachSuffix)
	}
	lib.Feeds = append(lib.Feeds, f)
	set, err := feeds.Compile(lib, opts)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func (b *bench) hello(client, name string) {
	o := b.observation(capture.ProtoTLS, capture.Request, client, vendorIP+":443")
	o.Flow, o.Name, o.TLS = b.packet, []byte(name), &capture.ClientHello{HasSNI: true}
	b.Observe(o)
}

func TestSwapKeepsFindings(t *testing.T) {
	x := newBench(t, Config{})
	x.hello(host1, update)
	before := *x.Findings()[0]
	old := x.findings[0].hits[0].match.Indicator
	x.Swap(knowledge(t, feeds.Options{}), nil)
	if now := x.findings[0].hits[0].match.Indicator; now == old || now.ID != old.ID {
		t.Errorf("the hit points to %p %s, before %p %s", now, now.ID, old, old.ID)
	}
	x.hello(host1, update)
	after := *x.Findings()[0]
	if len(x.findings) != 1 || after.ID != before.ID || len(x.findings[0].hits) != 1 {
		t.Errorf("%d findings, id %s then %s, %d hits", len(x.findings), before.ID, after.ID, len(x.findings[0].hits))
	}
	if after.Attempts != before.Attempts+1 || after.Class != before.Class {
		t.Errorf("attempts %d then %d, class %s then %s", before.Attempts, after.Attempts, before.Class, after.Class)
	}
}

func TestSwapToWhatIsNoLongerKnown(t *testing.T) {
	x := newBench(t, Config{})
	x.hello(host1, update)
	facts := len(x.Findings()[0].Facts)
	policies := len(x.Findings()[0].Policies)
	x.Swap(knowledge(t, feeds.Options{Vendors: []string{"hikvision"}}), nil)
	x.hello(host1, update)
	f := x.Findings()[0]
	if len(f.Facts) != facts || f.Attempts != 1 || policies == 0 || len(f.Policies) != 0 {
		t.Errorf("%d facts before, %d after; %d attempts; %d policies, then %d", facts, len(f.Facts), f.Attempts, policies, len(f.Policies))
	}
}

func TestSwapToMore(t *testing.T) {
	x := newBench(t, Config{})
	x.hello(host1, "a.new.example.org")
	if len(x.changes) != 0 {
		t.Fatalf("changes %v", x.changes)
	}
	x.Swap(knowledge(t, feeds.Options{}, "new.example.org"), nil)
	x.hello(host1, "a.new.example.org")
	if len(x.changes) != 1 || x.changes[0] != "opened vendor acme installed" {
		t.Errorf("changes %v", x.changes)
	}
	if f := x.Findings()[0].Facts[0]; f.Indicator != "acme:suffix:@own" {
		t.Errorf("fact %+v", f)
	}
}

func TestListedURLAndAddress(t *testing.T) {
	x := newBench(t, Config{Set: nil})
	x.Swap(knowledge(t, feeds.Options{}), nil)
	o := x.observation(capture.ProtoHTTP, capture.Request, host1, vendorIP+":80")
	o.Flow, o.Name, o.HTTP = 1, []byte("files.example.org"), &capture.HTTP{Method: []byte("GET"), Target: []byte("/bad?x=1")}
	x.Observe(o)
	end := x.observation(capture.ProtoFlow, capture.FlowOpen, "10.0.0.9", "198.51.100.7:22")
	end.Flow, end.End = 2, &capture.FlowState{Outcome: capture.Exchanged}
	x.Observe(end)
	want := []string{"opened vendor acme installed", "opened vendor acme located"}
	if len(x.changes) != 2 || x.changes[0] != want[0] || x.changes[1] != want[1] {
		t.Errorf("changes %v, want %v", x.changes, want)
	}
}
