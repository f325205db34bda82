package importer

import (
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"telltale/feeds"
)

var update = flag.Bool("update", false, "write the golden files anew")

// newFeed returns a list that says something of its entries.
func newFeed() *feeds.Feed {
	return &feeds.Feed{
		Name: "test", Vendor: feeds.Vendor{ID: "acme"}, Function: feeds.FuncWeb,
		Implies: feeds.Visited, Confidence: feeds.Medium,
	}
}

// sample are the options the samples are read with.
func sample() Options {
	return Options{
		Countries: []string{"RU"}, ASNs: []uint32{64496}, Now: 1_780_000_000e9, // 2026-05
		Shared: func(name string) (string, bool) { return "Example Hosting", name == "hosting.example" },
	}
}

// text shows all that was read.
func text(f *feeds.Feed, rep *Report, err error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "format %s, %d lines: %d names, %d prefixes, %d ASNs, %d URLs, %d bad\n",
		rep.Format, rep.Lines, rep.Names, rep.Prefixes, rep.ASNs, rep.URLs, rep.Bad)
	for n, r := range f.Names() {
		fmt.Fprintf(&b, "%s %s\n", r, n)
	}
	for _, p := range f.Prefixes() {
		fmt.Fprintf(&b, "prefix %s\n", p)
	}
	for _, n := range f.ASNs() {
		fmt.Fprintf(&b, "AS %d\n", n)
	}
	for _, u := range f.URLs() {
		fmt.Fprintf(&b, "URL %s\n", u)
	}
	for _, l := range rep.Shown {
		fmt.Fprintln(&b, l)
	}
	var skipped []string
	for what, n := range rep.Skipped {
		skipped = append(skipped, fmt.Sprintf("skipped %d: %s\n", n, what))
	}
	slices.Sort(skipped)
	b.WriteString(strings.Join(skipped, ""))
	if err != nil {
		fmt.Fprintf(&b, "error: %v\n", err)
	}
	return b.String()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got)\n%s", path, d)
	}
}

func samples(t testing.TB, dir string) []string {
	t.Helper()
	list, err := filepath.Glob("testdata/" + dir + "/*")
	if err != nil || len(list) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	return slices.DeleteFunc(list, func(p string) bool { return strings.HasSuffix(p, ".golden") })
}

// TestSamples reads a sample of each format and holds what was taken against the file
// beside it. The format of a good one is told by content; a bad one must be an error.
func TestSamples(t *testing.T) {
	seen := map[string]int{}
	for _, dir := range []string{"good", "bad"} {
		for _, path := range samples(t, dir) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			f, opts := newFeed(), sample()
			if dir == "bad" {
				opts.Format = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
			}
			rep, err := Read(bytes.NewReader(data), f, opts)
			if bad := err != nil; bad != (dir == "bad") {
				t.Errorf("%s: error %v", path, err)
			}
			seen[dir+" "+rep.Format]++
			golden(t, path+".golden", text(f, rep, err))
		}
	}
	for _, f := range Formats() {
		if seen["good "+f.Name] == 0 || seen["bad "+f.Name] == 0 {
			t.Errorf("format %s has no good or no bad sample that is taken for it", f.Name)
		}
	}
}

// TestRegistry shows every format in the order it is tried: a new one is seen here.
func TestRegistry(t *testing.T) {
	var b strings.Builder
	for _, f := range Formats() {
		fmt.Fprintf(&b, "%s, %s: %s\n", f.Name, f.Reach, f.Help)
	}
	golden(t, "testdata/formats.golden", b.String())
}

func TestCompressedListsReadTheSame(t *testing.T) {
	plain := []byte("one.example.com\ntwo.example.com\n")
	var gz bytes.Buffer
	w := gzip.NewWriter(&gz)
	_, _ = w.Write(plain)
	_ = w.Close()
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := newFeed()
	wantRep, err := Read(bytes.NewReader(plain), want, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"gzip": gz.Bytes(), "zstd": enc.EncodeAll(plain, nil)} {
		f := newFeed()
		rep, err := Read(bytes.NewReader(data), f, Options{})
		if d := cmp.Diff(text(want, wantRep, nil), text(f, rep, err)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if _, err := Read(bytes.NewReader(data[:len(data)-6]), newFeed(), Options{}); err == nil {
			t.Errorf("%s: a list that is cut is no error", name)
		}
	}
}

func TestLimits(t *testing.T) {
	share := func(f float64) *float64 { return &f }
	bomb := func(n int) string {
		enc, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		return string(enc.EncodeAll(bytes.Repeat([]byte("a.example.com\n"), n), nil))
	}
	for _, c := range []struct {
		name, text string
		opts       Options
		want       string
	}{
		{"too many bytes", "a.example.com\nb.example.com\n", Options{MaxBytes: 20}, "more than 20 bytes"},
		{"too many bytes unpacked", bomb(100_000), Options{MaxBytes: 1000}, "more than 1000 bytes"},
		{"too many entries", "a.example.com\nb.example.com\nc.example.com\n", Options{MaxEntries: 2}, "more than 2 entries"},
		{"as many entries as may be", "a.example.com\nb.example.com\n", Options{MaxEntries: 2}, ""},
		{"a long line", strings.Repeat("a", 200_000) + "\nb.example.com\n", Options{MaxBad: share(0.5)}, ""},
		{"a long line refused", strings.Repeat("a", 200_000) + "\nb.example.com\n", Options{}, "longer than 65536 bytes"},
		{"empty", "", Options{}, "cannot tell the format"},
		{"only comments", "# nothing\n", Options{Format: "plain"}, "nothing in it can be used"},
		{"an unknown format", "a.example.com\n", Options{Format: "xml"}, "use auto or one of"},
		{"a bad share", "a.example.com\n", Options{MaxBad: share(2)}, "share from 0 to 1"},
		{"countries missing", "ripencc|RU|ipv4|192.0.2.0|256|20040213|allocated|a1\n", Options{}, "say which with countries"},
		{"a shared zone", "hosting.example\n", Options{Shared: sample().Shared}, "given out to customers of Example Hosting"},
		{"nested JSON", `{"Event":` + strings.Repeat("[", 100_000), Options{}, "nested deeper"},
		{"a manifest", `{"5a0e": {"Orgc": {"name": "x"}, "info": "y"}}`, Options{}, "a manifest only lists events"},
	} {
		rep, err := Read(strings.NewReader(c.text), newFeed(), c.opts)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q (%+v)", c.name, err, c.want, rep)
		}
	}
}

func TestReachCanBeSet(t *testing.T) {
	f := newFeed()
	if _, err := Read(strings.NewReader("*.example.com\nexample.net\n"), f, Options{Reach: "exact"}); err != nil {
		t.Fatal(err)
	}
	for n, r := range f.Names() {
		if r != feeds.ReachExact {
			t.Errorf("%s is %s", n, r)
		}
	}
}

// brokenReader fails in the middle of a list.
type brokenReader struct{ n int }

func (b *brokenReader) Read(p []byte) (int, error) {
	if b.n++; b.n > 3 {
		return 0, errors.New("the disk is gone")
	}
	return copy(p, "a.example.com\n"), nil
}

func TestReadErrorIsToldOf(t *testing.T) {
	_, err := Read(&brokenReader{}, newFeed(), Options{Format: "plain"})
	if err == nil || !strings.Contains(err.Error(), "the disk is gone") {
		t.Errorf("error %v", err)
	}
}
