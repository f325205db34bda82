package pcapfile

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// at makes packets of the given times in milliseconds, with the time as their content.
func at(name string, times ...int64) []got {
	var out []got
	for _, ms := range times {
		data := fmt.Sprint(name, ms)
		out = append(out, got{Data: data, Time: ms * 1_000_000, Length: uint32(len(data)), Link: 1})
	}
	return out
}

// every makes n packets, step milliseconds apart.
func every(name string, start, step int64, n int) []got {
	times := make([]int64, n)
	for i := range times {
		times[i] = start + int64(i)*step
	}
	return at(name, times...)
}

// merged returns the contents of the stream made of files, given in order.
func merged(t *testing.T, conf Config, files ...[]got) []string {
	t.Helper()
	dir := t.TempDir()
	for i, f := range files {
		conf.Paths = append(conf.Paths, store(t, dir, fmt.Sprint("file", i), written(t, f)))
	}
	packets, r := readAll(t, conf)
	if errs := r.Errs(); len(errs) > 0 {
		t.Errorf("errors: %v", errs)
	}
	var out []string
	for i, p := range packets {
		if p.Ordinal != uint64(i+1) {
			t.Fatalf("packet %d has ordinal %d", i+1, p.Ordinal)
		}
		out = append(out, p.Data)
	}
	return out
}

func contents(runs ...[]got) []string {
	var out []string
	for _, run := range runs {
		for _, p := range run {
			out = append(out, p.Data)
		}
	}
	return out
}

// byTime merges runs, each in the order of time; at a tie the earlier run goes first.
func byTime(runs ...[]got) []string {
	all := slices.Concat(runs...)
	slices.SortStableFunc(all, func(a, b got) int { return int(a.Time - b.Time) })
	return contents(all)
}

func TestFilesInOrderOfTime(t *testing.T) {
	a, b, c := every("a", 0, 1000, 9), every("b", 9000, 1000, 9), every("c", 18000, 1000, 9)
	want := contents(a, b, c)
	for _, files := range [][][]got{{a, b, c}, {c, b, a}, {b, c, a}} {
		if d := cmp.Diff(want, merged(t, Config{}, files...)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
	a, b = every("a", 0, 1, 9), every("b", 9, 1, 9) // begin within the disorder allowed
	if d := cmp.Diff(contents(a, b), merged(t, Config{}, b, a)); d != "" {
		t.Errorf("short files given the other way round (-want +got):\n%s", d)
	}
	same := [][]got{at("x", 5, 5), at("y", 5), at("z", 5, 5)}
	if d := cmp.Diff(contents(same...), merged(t, Config{}, same...)); d != "" {
		t.Errorf("equal times are not kept as given (-want +got):\n%s", d)
	}
}

func TestOverlappingFilesAreMerged(t *testing.T) {
	a, b := every("a", 0, 1000, 100), every("b", 500, 1000, 100)
	c := every("c", 50_250, 700, 9000)
	for name, files := range map[string][][]got{
		"two":          {a, b},
		"other order":  {b, a},
		"three":        {b, c, a},
		"large ones":   {every("a", 0, 3, 30000), every("b", 1, 7, 20000), every("c", 20_000, 10, 9000)},
		"many buffers": {every("a", 0, 2, 120_000), every("b", 1, 2, 120_000)},
		"one in other": {every("a", 0, 3, 40000), every("b", 30_001, 3, 9000)},
	} {
		if d := cmp.Diff(byTime(files...), merged(t, Config{}, files...)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	got := merged(t, Config{MaxOpen: 1}, b, a)
	if d := cmp.Diff(contents(a, b), got); d != "" {
		t.Errorf("one file at a time (-want +got):\n%s", d)
	}
	got = merged(t, Config{MaxOpen: 2}, a, b, c)
	if len(got) != len(a)+len(b)+len(c) {
		t.Errorf("two files at a time: %d packets, want %d", len(got), len(a)+len(b)+len(c))
	}
}

func TestOrderWithinFileIsKept(t *testing.T) {
	late := slices.Concat(every("a", 0, 1000, 50), at("late", 3_600_000), every("a", 50_000, 1000, 50))
	early := slices.Concat(every("b", 500, 1000, 50), at("early", 0), every("b", 50_500, 1000, 50))
	stream := merged(t, Config{}, late, early)
	for _, f := range [][]string{contents(late), contents(early)} {
		own := slices.DeleteFunc(slices.Clone(stream), func(s string) bool { return !slices.Contains(f, s) })
		if d := cmp.Diff(f, own); d != "" {
			t.Errorf("order within a file (-want +got):\n%s", d)
		}
	}
	// One packet an hour late delays nothing: what follows it in its file is not held back.
	if i, j := slices.Index(stream, "a99000"), slices.Index(stream, "b99500"); i > j+1 {
		t.Errorf("a late packet made the rest of its file come late: %d after %d", i, j)
	}
}

// cut returns the stream made of packets cut into files before each of places.
func cut(t *testing.T, packets []got, places ...int) []got {
	t.Helper()
	dir := t.TempDir()
	conf := Config{}
	from := 0
	for i, to := range append(places, len(packets)) {
		conf.Paths = append(conf.Paths, store(t, dir, fmt.Sprint(i), written(t, packets[from:to])))
		from = to
	}
	out, r := readAll(t, conf)
	if errs := r.Errs(); len(errs) > 0 {
		t.Errorf("errors: %v", errs)
	}
	return out
}

func numbered(packets []got) []got {
	out := slices.Clone(packets)
	for i := range out {
		out[i].Ordinal = uint64(i + 1)
	}
	return out
}

func sameStream(want, got []got) bool { return slices.Equal(want, got) }

func TestCutLawOnDisorder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(3, 60).Draw(rt, "packets")
		packets := every("p", 1000, rapid.Int64Range(0, 2000).Draw(rt, "step"), n)
		for range rapid.IntRange(0, 6).Draw(rt, "swaps") {
			i := rapid.IntRange(0, n-2).Draw(rt, "place")
			packets[i], packets[i+1] = packets[i+1], packets[i]
		}
		packets = numbered(packets)
		at := rapid.IntRange(1, n-1).Draw(rt, "cut")
		if undecidable(packets[:at], packets[at:]) {
			rt.Skip("nothing but the order of the names says which part is the first")
		}
		if got := cut(t, packets, at); !sameStream(packets, got) {
			rt.Errorf("cut at %d (-want +got):\n%s", at, cmp.Diff(packets, got))
		}
	})
}

// undecidable reports whether b looks like the part before a.
func undecidable(a, b []got) bool {
	ends := slices.MaxFunc(b, func(x, y got) int { return int(x.Time - y.Time) }).Time
	return a[0].Time-b[0].Time > disorder || b[0].Time < a[0].Time && ends < a[0].Time
}

func TestCutLawBeyondLookAhead(t *testing.T) {
	packets := every("p", 0, 1, 50000) // several buffers
	for i := 4; i < len(packets)-9; i += 7 {
		packets[i], packets[i+3] = packets[i+3], packets[i]
	}
	packets[20000].Time += 3600 * sec // one clock error
	packets = numbered(packets)
	for _, at := range []int{5, 100, 19999, 20001, 24990, 24991, 24992, 24993, 24994, 49999} {
		if got := cut(t, packets, at); !sameStream(packets, got) {
			t.Errorf("cut at %d: the stream differs", at)
		}
	}
}

func TestCutLawOnHeavyDisorder(t *testing.T) {
	packets := every("p", 0, 1, 300)
	for i := range packets { // two queues, each emptied after 50 ms: even times, then odd ones
		in := i % 50
		packets[i].Time = int64(i/50*50+in%25*2+in/25) * 1_000_000
	}
	packets = numbered(packets)
	for at := 50; at < len(packets); at++ {
		if got := cut(t, packets, at); !sameStream(packets, got) {
			t.Errorf("cut at %d: the stream differs", at)
		}
	}
}

func TestCutLawWithClockErrorsBetweenBuffers(t *testing.T) {
	var packets []got
	for i := range 60000 {
		packets = append(packets, got{Data: "12345", Time: int64(i) * 1_000_000, Length: 5, Link: 1})
	}
	last := chunkSize / (recordHeader + 5) // the packet that the first buffer cuts
	for i := last - 5; i < last; i++ {
		packets[i].Time += 3600 * sec
	}
	packets = numbered(packets)
	if got := cut(t, packets, 59000); !sameStream(packets, got) {
		t.Error("the stream differs")
	}
}

func TestCutLawOnCaptures(t *testing.T) {
	for i, path := range captures(t) {
		if testing.Short() && i%8 > 0 {
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			whole, _ := readAll(t, Config{Paths: []string{path}})
			if len(whole) < 2 || mixedLinks(whole) {
				t.Skip("nothing to cut, or several link types")
			}
			step := max(1, len(whole)/10)
			if len(whole) <= 64 {
				step = 1
			}
			for at := 1; at < len(whole); at += step {
				parts := cut(t, whole, at)
				if !sameStream(whole, parts) {
					t.Fatalf("cut before packet %d of %d (-want +got):\n%.2000s", at+1, len(whole),
						cmp.Diff(whole, parts, cmpopts.IgnoreFields(got{}, "Data")))
				}
			}
			if n := len(whole); n > 9 && nearlySorted(whole) {
				if got := cut(t, whole, n/3, n/3+1, n/2); !sameStream(whole, got) {
					t.Error("cut in four: the stream differs")
				}
			}
		})
	}
}

// nearlySorted reports whether times go back by no more than captures on several cores do.
func nearlySorted(packets []got) bool {
	last := packets[0].Time
	for _, p := range packets {
		last = max(last, p.Time)
		if last-p.Time > disorder {
			return false
		}
	}
	return true
}

func mixedLinks(packets []got) bool {
	return slices.ContainsFunc(packets, func(p got) bool { return p.Link != packets[0].Link })
}

// captures returns the shared captures, skipping the test where there are none.
func captures(t testing.TB) []string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		var found []string
		for _, pattern := range []string{"*.pcap", "*.pcapng", "*.pcap.gz", "*.pcapng.gz"} {
			m, err := filepath.Glob(filepath.Join(dir, "shared", "captures", pattern))
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, m...)
		}
		if len(found) > 0 {
			slices.Sort(found)
			return found
		}
	}
	t.Skip("no shared captures")
	return nil
}
