package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"telltale/alert"
)

var update = flag.Bool("update", false, "write the expected output of the cases anew")

// call runs a command line and returns its exit status and output.
func call(t testing.TB, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(args, &env{ctx: context.Background(), stdin: strings.NewReader(""), stdout: &out, stderr: &errs})
	return status, out.String(), errs.String()
}

// cases returns the folders with a capture and its expected output.
func cases(t testing.TB) []string {
	t.Helper()
	dirs, err := filepath.Glob("../../testdata/case/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	return dirs
}

func input(t testing.TB, dir string) string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "input.*"))
	if err != nil || len(list) != 1 {
		t.Fatalf("%s: want one input, found %v", dir, list)
	}
	return list[0]
}

// changing are parts of the output that a new pack or table changes everywhere.
var changing = []struct {
	find *regexp.Regexp
	put  string
}{
	{regexp.MustCompile(`"packs":"[0-9a-f]+"`), `"packs":"-"`},
	{regexp.MustCompile(`(?m)^  packs .*\n`), ""},
	{regexp.MustCompile(`(?m)^  geo .*\n( {13}.*\n)?`), ""},
	{regexp.MustCompile(`(?m)^  warning .*\n( {13}.*\n)?`), ""},
}

func steady(s string) string {
	for _, c := range changing {
		s = c.find.ReplaceAllString(s, c.put)
	}
	return s
}

// TestCases holds every case's observations, alerts and summary against what is
// written beside its capture. Every alert must fit the schema.
func TestCases(t *testing.T) {
	s := alertSchema(t)
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			in := input(t, dir)
			status, observed, _ := call(t, "observe", in)
			if status != exitOK {
				t.Errorf("observe: exit status %d", status)
			}
			status, alerts, summary := call(t, "replay", "--facts=-1", in)
			if status != exitOK {
				t.Errorf("replay: exit status %d", status)
			}
			validate(t, s, alerts)
			expect(t, filepath.Join(dir, "observations.jsonl"), observed)
			expect(t, filepath.Join(dir, "alerts.jsonl"), steady(alerts))
			expect(t, filepath.Join(dir, "summary.txt"), steady(summary))
		})
	}
}

func expect(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: run 'go test ./cmd/telltale -update' and read what it wrote", err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); d != "" {
		t.Errorf("%s (-want +got)\n%s", filepath.Base(path), d)
	}
}

func alertSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(alert.Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("alert.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("alert.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t testing.TB, s *jsonschema.Schema, lines string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err == nil {
			err = s.Validate(v)
		}
		if err != nil {
			t.Fatalf("alert does not fit the schema: %v\n%s", err, line)
		}
	}
}

// TestSharedCaptures: every alert of every real capture fits the schema, the exit
// status is never that of a crash, and eight workers say what one says.
func TestSharedCaptures(t *testing.T) {
	list, _ := filepath.Glob("../../../shared/captures/*.pcap*")
	if len(list) == 0 {
		t.Skip("no shared captures beside the project")
	}
	s := alertSchema(t)
	for _, path := range list {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			status, one, summary := call(t, "replay", "-j", "1", path)
			if status != exitOK && status != exitFailed {
				t.Errorf("exit status %d\n%s", status, summary)
			}
			validate(t, s, one)
			if _, two, _ := call(t, "replay", "-j", "8", path); two != one {
				t.Error("8 workers give other alerts than 1")
			}
		})
	}
}
