package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// piped is a daemon that is given packets by standard input.
type piped struct {
	t    *testing.T
	dir  string
	in   io.WriteCloser
	hup  func()
	term func() string // its standard error
}

// startPiped runs the daemon on the configuration in dir.
func startPiped(t *testing.T, dir string) *piped {
	t.Helper()
	c := itself(t, dir, "telltale", "run", "--read", "-", "-c", "telltale.yaml", "--state", "state", "-o", "alerts.jsonl")
	c.Dir = dir
	var errs bytes.Buffer
	c.Stderr = &errs
	in, err := c.StdinPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		if t.Failed() {
			t.Log(errs.String())
		}
	})
	return &piped{
		t: t, dir: dir, in: in,
		hup: func() { _ = c.Process.Signal(syscall.SIGHUP) },
		term: func() string {
			_ = c.Process.Signal(syscall.SIGTERM)
			if err := c.Wait(); err != nil {
				t.Errorf("the daemon ended with %v", err)
			}
			return errs.String()
		},
	}
}

func (p *piped) configure(text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, "telltale.yaml"), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// feed gives it the packets of a capture, with the file's header for the first.
func (p *piped) feed(name string, first bool) {
	p.t.Helper()
	b, err := os.ReadFile("../../testdata/case/" + name + "/input.pcap")
	if err != nil {
		p.t.Fatal(err)
	}
	if !first {
		b = b[24:]
	}
	if _, err := p.in.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

func (p *piped) read(name string) string {
	b, _ := os.ReadFile(filepath.Join(p.dir, name))
	return string(b)
}

// wait waits until a file holds text.
func (p *piped) wait(name, text string) {
	p.t.Helper()
	for range 2000 {
		if strings.Contains(p.read(name), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.t.Fatalf("%s has no %q:\n%s", name, text, p.read(name))
}

// numbers returns the sequence in a file.
func (p *piped) numbers(name string) (list []uint64) {
	p.t.Helper()
	for line := range strings.Lines(p.read(name)) {
		var row ledgerRow
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			p.t.Fatal(err)
		}
		list = append(list, row.Seq)
	}
	return list
}

// TestSinksAreReloaded: at SIGHUP sinks come, go and change, others go on, and what is
// refused leaves the old ones at work; no number is missing or twice.
func TestSinksAreReloaded(t *testing.T) {
	dir := t.TempDir()
	p := &piped{t: t, dir: dir}
	p.configure("sinks: [{name: a, type: file, path: a}, {name: b, type: file, path: b}]\nobservations: [{type: file, path: seen, protocols: [dns]}]\n")
	p = startPiped(t, dir)
	p.feed("updater", true)
	for _, name := range []string{"a", "b"} {
		p.wait(name, "finding.opened")
	}

	p.configure("sinks: [{name: a, type: file, path: a}, {name: c, type: file, path: c}]\nobservations: [{type: file, path: seen.eve, protocols: [dns], format: eve}]\n")
	p.hup()
	p.wait("alerts.jsonl", "; new sinks c; sinks no longer used b (what they do not take within 5s waits")
	p.wait("c", "new sinks c")
	p.feed("dig-dns", false)
	p.wait("seen.eve", `"event_type":"dns"`)
	p.wait("seen", `"proto":"dns"`)

	p.configure("sinks: [{name: a, type: file, path: a}, {name: c, type: pigeon}]\n")
	p.hup()
	for _, name := range []string{"a", "c"} {
		p.wait(name, `the old ones stay: sink 2 (c): unknown type`)
	}
	p.configure("sinks: [{name: c, type: file, path: c2}, {name: a, type: file, path: a}]\nobservations: [{type: cef}]\n")
	p.hup()
	p.wait("a", `does not take observations`)
	if p.read("c2") != "" {
		t.Error("part of a configuration that was refused is used")
	}

	p.configure("sinks: [{name: c, type: file, path: c2}, {name: a, type: file, path: a}]\n")
	p.hup()
	p.wait("c2", "changed sinks c")
	errs := p.term()
	checkReloaded(t, p)
	if strings.Contains(errs, "lines were dropped") {
		t.Error("lines of the observation log were dropped")
	}
}

// checkReloaded looks at what the sinks have at the end.
func checkReloaded(t *testing.T, p *piped) {
	t.Helper()
	a, b, c := p.numbers("a"), p.numbers("b"), append(p.numbers("c"), p.numbers("c2")...)
	last := uint64(len(a))
	whole := func(name string, list []uint64, from, to uint64) {
		for i, n := range list {
			if n != from+uint64(i) {
				t.Errorf("sink %s has %v, want %d to %d", name, list, from, to)
				return
			}
		}
		if len(list) == 0 || list[len(list)-1] != to {
			t.Errorf("sink %s has %v, want %d to %d", name, list, from, to)
		}
	}
	whole("a", a, 1, last)
	whole("b", b, 1, c[0]-1)
	whole("c", c, c[0], last)
	if strings.Contains(p.read("c"), "10.20.30.42") || !strings.Contains(p.read("c2"), "health.heartbeat") {
		t.Error("sink c has what was told before it came, or not what came last")
	}
	status, out, _ := call(t, "outbox", "status", "--state", filepath.Join(p.dir, "state"))
	if status != 0 || !slices.ContainsFunc(strings.Split(out, "\n"), func(l string) bool {
		return strings.Join(strings.Fields(l), " ") == fmt.Sprintf("b %d %d 0 0", len(b), last-uint64(len(b)))
	}) {
		t.Errorf("what waits for b is not as it should be:\n%s", out)
	}
}
