package sink

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"telltale/alert"
)

// parsed makes the sinks of a configuration.
func parsed(t *testing.T, text string) ([]alert.Target, error) {
	t.Helper()
	var list []Entry
	if err := yaml.UnmarshalWithOptions([]byte(text), &list, yaml.Strict()); err != nil {
		return nil, err
	}
	return Targets(list)
}

func one(t *testing.T, text string) alert.Sink {
	t.Helper()
	targets, err := parsed(t, text)
	if err != nil || len(targets) != 1 {
		t.Fatal(err)
	}
	return targets[0].Sink
}

// numbered makes records numbered from to to.
func numbered(from, to int) (list []alert.Record) {
	for n := from; n <= to; n++ {
		list = append(list, alert.Record{Alert: &alert.Alert{Seq: uint64(n)}, Body: fmt.Appendf(nil, `{"seq":%d}`, n)})
	}
	return list
}

func lines(from, to int) string {
	var b strings.Builder
	for n := from; n <= to; n++ {
		fmt.Fprintf(&b, "{\"seq\":%d}\n", n)
	}
	return b.String()
}

func sendAll(t *testing.T, s alert.Sink, batch []alert.Record) {
	t.Helper()
	if out := s.Send(context.Background(), batch); out.Done != len(batch) || out.Err != nil {
		t.Fatalf("%+v", out)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.jsonl")
	s := one(t, "- {type: file, path: "+path+"}").(*file)
	sendAll(t, s, numbered(1, 3))
	if err := os.Rename(path, path+".1"); err != nil { // as logrotate does
		t.Fatal(err)
	}
	sendAll(t, s, numbered(4, 5))
	s.Reopen()
	sendAll(t, s, numbered(6, 6))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, path+".1") + content(t, path); got != lines(1, 6) {
		t.Errorf("%q", got)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm()&0o007 != 0 {
		t.Errorf("everybody may read it: %v", st.Mode())
	}
}

// TestFileMendsCutLine: what a crash left without its end was not delivered and goes.
func TestFileMendsCutLine(t *testing.T) {
	for before, want := range map[string]string{
		"":                              "",
		lines(1, 2):                     lines(1, 2),
		lines(1, 2) + `{"seq":3`:        lines(1, 2),
		`{"seq":1`:                      "",
		strings.Repeat("x", 2<<20):      strings.Repeat("x", 2<<20), // no file of lines: left alone
		"\n" + strings.Repeat("y", 500): "\n",
	} {
		path := filepath.Join(t.TempDir(), "alerts")
		if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		s := one(t, "- {type: file, sync: never, path: "+path+"}")
		sendAll(t, s, numbered(9, 9))
		if got := content(t, path); got != want+lines(9, 9) {
			t.Errorf("%.40q became %.80q", before, got)
		}
		_ = s.Close()
	}
}

func TestFileRotates(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "alerts")
	s := one(t, "- {type: file, rotate_mib: 1, compress: true, keep: 2, path: "+path+"}").(*file)
	big := numbered(1, 1)
	big[0].Body = bytes.Repeat([]byte("x"), 600<<10)
	for range 5 {
		sendAll(t, s, big)
		s.aside.wait()
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	packed, _ := filepath.Glob(path + ".*.gz")
	all, _ := filepath.Glob(path + "*")
	if len(packed) != 2 || len(all) != 3 {
		t.Fatalf("%v", all)
	}
	for _, name := range packed {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(z); err != nil || len(b) != 600<<10+1 {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
		_ = f.Close()
	}

	old := one(t, "- {type: file, rotate_every: 1ns, path: "+path+"2}").(*file)
	sendAll(t, old, numbered(1, 1))
	sendAll(t, old, numbered(2, 2))
	_ = old.Close()
	if all, _ := filepath.Glob(path + "2.*"); len(all) != 1 || content(t, all[0])+content(t, path+"2") != lines(1, 2) {
		t.Errorf("by age: %v", all)
	}
}

func TestFileCannotBeWritten(t *testing.T) {
	s := one(t, "- {type: file, path: /nowhere/at/all}")
	var steps []alert.Step
	ctx := alert.WithTrace(context.Background(), func(s alert.Step) { steps = append(steps, s) })
	if out := s.Send(ctx, numbered(1, 1)); out.Done != 0 || out.Err == nil || len(steps) != 1 || steps[0].Err == nil {
		t.Errorf("%+v, steps %v", out, steps)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// short writes so many bytes and then no more.
type short int

func (w *short) Write(b []byte) (int, error) {
	if len(b) <= int(*w) {
		*w -= short(len(b))
		return len(b), nil
	}
	n := int(*w)
	*w = 0
	return n, io.ErrClosedPipe
}

func TestStdout(t *testing.T) {
	for room, want := range map[int]int{0: 0, 9: 0, 10: 1, 19: 1, 20: 2, 30: 3} {
		left := short(room)
		s := &stdout{w: &left}
		out := s.Send(context.Background(), numbered(1, 3))
		if out.Done != want || (out.Err == nil) != (want == 3) {
			t.Errorf("with room for %d bytes: %+v, want %d", room, out, want)
		}
	}
}

func TestEntries(t *testing.T) {
	targets, err := parsed(t, `
- type: stdout
- {name: siem, type: file, path: /tmp/x, format: native, kinds: [finding.*], min_severity: medium, batch: 7}
`)
	if err != nil || len(targets) != 2 || targets[0].Name != "stdout" || targets[1].Batch != 7 || len(targets[1].Filter.Kinds) != 1 {
		t.Fatalf("%+v, %v", targets, err)
	}
	targets, err = parsed(t, "- &base {type: file, path: /x, mode: 0600}\n- {<<: *base, name: other}\n- {type: file, name: &n third, path: *n}")
	if err != nil || len(targets) != 3 || targets[1].Sink.(*file).conf.Mode != 0o600 || targets[2].Sink.(*file).conf.Path != "third" {
		t.Errorf("aliases: %+v, %v", targets, err)
	}
	for want, text := range map[string]string{
		"unknown type":                "- {type: pigeon}",
		"the name is taken":           "- {type: stdout}\n- {type: stdout}",
		"path is missing":             "- {type: file}",
		"sync must be":                "- {type: file, path: /x, sync: sometimes}",
		"colour":                      "- {type: file, path: /x, colour: red}",
		"\"wire\"":                    "- {type: stdout, format: wire}",
		"unknown severity":            "- {type: stdout, min_severity: fatal}",
		"matches no kind":             "- {type: stdout, kinds: [x]}",
		"batch must be":               "- {type: stdout, batch: 100000}",
		"name \"a/b\"":                "- {type: stdout, name: a/b}",
		"for receivers that do not":   "- {type: file, path: /x, resend_records: 5}",
		"protocols belong to entries": "- {type: stdout, protocols: [dns]}",
		"sink 1 (pigeon)":             "- {type: pigeon}",
		"[4:3] unknown field":         "- type: stdout\n- type: file\n  path: /x\n  pth: /x",
		"[3:10] cannot unmarshal":     "- type: stdout\n- type: stdout\n  batch: many",
	} {
		if _, err := parsed(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
