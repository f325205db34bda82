package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"telltale/alert"
	"telltale/alert/format"
	"telltale/capture"
	"telltale/detect"
	"telltale/feeds"
)

// workshop is a directory with a configuration, a pack and a list.
type workshop struct {
	t     testing.TB
	dir   string
	flags judgeFlags
}

const workshopPack = `id: acme
name: Acme
version: 2026-01-01
country: US
indicators:
  - {kind: suffix, values: [%s], function: update, implies: installed, confidence: high, sources: [own], seen: 2026-01-01}
sources:
  own: {kind: vendor-doc, ref: our own lab, license: facts}
`

func newWorkshop(t testing.TB) *workshop {
	t.Helper()
	w := &workshop{t: t, dir: t.TempDir()}
	w.write("config.yaml", fmt.Sprintf("packs: [%s]\nfeeds:\n  - {path: %s, vendor: acme, implies: likely, function: cloud}\n",
		filepath.Join(w.dir, "packs"), filepath.Join(w.dir, "list.txt")))
	w.pack("upd.acmesecurity.com")
	w.write("list.txt", strings.Join(generated(200), "\n"))
	w.flags.Config = filepath.Join(w.dir, "config.yaml")
	return w
}

func (w *workshop) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// pack writes the pack of Acme with these names.
func (w *workshop) pack(names ...string) {
	w.write("packs/acme.yaml", fmt.Sprintf(workshopPack, strings.Join(names, ", ")))
}

func (w *workshop) load() *knowledge {
	w.t.Helper()
	k, err := w.flags.load()
	if err != nil {
		w.t.Fatal(err)
	}
	return k
}

func generated(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("host%d.example.com", i)
	}
	return list
}

func TestReloadRefusesWhatIsUnsound(t *testing.T) {
	w := newWorkshop(t)
	var why []string
	r := newReloader(&w.flags, w.load(), zap.NewNop())
	r.size *= 10 // as if the packs were but a small part of what is in use
	r.refused = func(err error) { why = append(why, err.Error()) }
	good := func() { w.pack("upd.acmesecurity.com"); w.write("list.txt", strings.Join(generated(200), "\n")) }
	for _, c := range []struct {
		name, want string
		change     func()
	}{
		{"shrunk", "less than half", func() { w.write("list.txt", "host1.example.com\n") }},
		{"malformed", "packs/acme.yaml:1", func() { w.write("packs/acme.yaml", "id: [\n") }},
		{"misleading", "public-suffix", func() { w.pack("co.uk") }},
		{"empty list", "list.txt", func() { w.write("list.txt", "# nothing\n") }},
		{"absent list", "list.txt", func() { _ = os.Remove(filepath.Join(w.dir, "list.txt")) }},
		{"bad configuration", "config.yaml", func() { w.write("config.yaml", "pakcs: []\n") }},
	} {
		good()
		why = nil
		c.change()
		r.reload(true)
		r.reload(false)
		r.reload(false) // nothing is told twice
		if len(why) != 1 || !strings.Contains(why[0], c.want) || r.ready.Load() != nil {
			t.Errorf("%s: told %q, ready %v", c.name, why, r.ready.Load() != nil)
		}
	}
}

func TestReloadFollowsContent(t *testing.T) {
	w := newWorkshop(t)
	r := newReloader(&w.flags, w.load(), zap.NewNop())
	r.refused = func(err error) { t.Error(err) }
	ready := func(what string, want bool) {
		t.Helper()
		r.reload(false)
		if got := r.ready.Swap(nil) != nil; got != want {
			t.Errorf("%s: new knowledge %v, want %v", what, got, want)
		}
	}
	ready("nothing changed", false)
	w.pack("upd.acmesecurity.com")
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(w.dir, "packs/acme.yaml"), later, later); err != nil {
		t.Fatal(err)
	}
	ready("only the time changed", false)
	w.pack("upd.acmesecurity.com", "upd.acmesecurity.net")
	ready("a pack changed", true)
	w.write("list.txt", strings.Join(generated(201), "\n"))
	ready("a list changed", true)
	ready("nothing more", false)
	r.reload(true)
	if r.ready.Load() == nil {
		t.Error("a signal makes no new knowledge")
	}
}

// hello returns the n-th hello of a stream: to the old name of the vendor, or to the new.
func hello(n uint64, name string) *capture.Observation {
	return &capture.Observation{
		Time: int64(n) * 1e9, Packet: n, Order: n, Flow: n, Proto: capture.ProtoTLS, Kind: capture.Request, Transport: 6,
		Client: addrPort("10.0.0.7:50000"), Server: addrPort("198.51.100.9:443"),
		Name: []byte(name), TLS: &capture.ClientHello{HasSNI: true},
	}
}

// TestSwapWithinReplay swaps knowledge between two Observations: none is lost, Findings
// go on, and alerts tell by which knowledge they were made.
func TestSwapWithinReplay(t *testing.T) {
	w := newWorkshop(t)
	k := w.load()
	p := newPipe(t, k)
	r := newReloader(&w.flags, k, zap.NewNop())
	first := p.maker.Packs
	p.observe(hello(1, "upd.acmesecurity.com"))
	p.observe(hello(2, "upd.acmesecurity.net")) // not known yet
	w.pack("upd.acmesecurity.com", "upd.acmesecurity.net")
	r.reload(false)
	if p.maker.Packs != first {
		t.Error("knowledge is in use before it was taken")
	}
	if !p.take(r) || p.take(r) {
		t.Error("new knowledge was not taken exactly once")
	}
	p.observe(hello(3, "upd.acmesecurity.net"))
	p.observe(hello(4, "upd.acmesecurity.com"))
	p.engine.Flush()
	f := p.engine.Findings()
	if len(f) != 1 || f[0].Attempts != 3 || len(f[0].Names) != 2 {
		t.Errorf("%d findings, the first %+v", len(f), f[0])
	}
	if c := p.engine.Coverage(); c.Observations[capture.ProtoTLS] != 4 {
		t.Errorf("%d observations, want 4", c.Observations[capture.ProtoTLS])
	}
	want := []string{"finding.opened " + first, "finding.summary " + p.maker.Packs}
	if got := strings.Join(p.told, "\n"); got != strings.Join(want, "\n") || first == p.maker.Packs {
		t.Errorf("alerts\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// pipe is an engine and the alerts it gives.
type pipe struct {
	engine *detect.Engine
	maker  alert.Maker
	told   []string
}

// take puts what r has made to use, as the daemon does.
func (p *pipe) take(r *reloader) bool {
	k := r.take()
	if k == nil {
		return false
	}
	p.engine.Swap(k.detect.Set, k.detect.Watch)
	p.maker.Packs = k.detect.Set.Generation()
	return true
}

func newPipe(t testing.TB, k *knowledge) *pipe {
	t.Helper()
	p := &pipe{maker: alert.Maker{Sensor: "test", Packs: k.detect.Set.Generation()}}
	var err error
	p.engine, err = detect.New(k.detect, func(c detect.Change) {
		a := p.maker.Change(c)
		p.told = append(p.told, string(a.Kind)+" "+a.Packs)
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *pipe) observe(o *capture.Observation) { p.engine.Observe(o) }

// TestReloadUnderLoad reloads by signal while a stream runs: every Observation counts,
// and the longest pause is that of a swap.
func TestReloadUnderLoad(t *testing.T) {
	w := newWorkshop(t)
	k := w.load()
	p := newPipe(t, k)
	r := newReloader(&w.flags, k, zap.NewNop())
	var refused atomic.Int64
	r.refused = func(error) { refused.Add(1) }
	hup := make(chan os.Signal, 1)
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { r.watch(ctx, time.Hour, hup) })
	n, swaps := uint64(0), 0
	for end := time.Now().Add(30 * time.Second); swaps < 5 && time.Now().Before(end); n++ {
		if n%1000 == 0 {
			select {
			case hup <- syscall.SIGHUP:
			default:
			}
		}
		if p.take(r) {
			swaps++
		}
		p.observe(hello(n+1, "upd.acmesecurity.com"))
	}
	stop()
	wg.Wait()
	if swaps < 5 || refused.Load() != 0 {
		t.Errorf("%d swaps, %d refused", swaps, refused.Load())
	}
	if got := p.engine.Coverage().Observations[capture.ProtoTLS]; got != n {
		t.Errorf("%d of %d observations counted", got, n)
	}
	if f := p.engine.Findings(); len(f) != 1 || f[0].Attempts != n {
		t.Errorf("%d findings, %d contacts of %d", len(f), f[0].Attempts, n)
	}
}

// BenchmarkSwap puts other knowledge to use under 1,000 Findings.
func BenchmarkSwap(b *testing.B) {
	w := newWorkshop(b)
	k, other := w.load(), w.load()
	p := newPipe(b, k)
	for i := range 1000 {
		o := hello(uint64(i+1), "upd.acmesecurity.com")
		o.Client = addrPort(fmt.Sprintf("10.0.%d.%d:50000", i/250, i%250+1))
		p.observe(o)
	}
	if n := len(p.engine.Findings()); n != 1000 {
		b.Fatalf("%d findings", n)
	}
	sets := [2]*feeds.Set{other.detect.Set, k.detect.Set}
	for i := 0; b.Loop(); i++ {
		p.engine.Swap(sets[i%2], k.detect.Watch)
	}
}

func TestRefusedReloadIsAHealthAlert(t *testing.T) {
	m := alert.Maker{Sensor: "test", Packs: "0123456789abcdef"}
	line := format.Native(nil, m.Health(alert.HealthFeed, 1, "list.txt: nothing in it can be used"))
	validate(t, alertSchema(t), string(line)+"\n")
	if !strings.Contains(string(line), `"kind":"health.feed"`) {
		t.Errorf("alert %s", line)
	}
}
