package pcapfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"telltale/capture"
)

// tree makes a directory of captures and other files.
func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	store(t, dir, "2.pcap", written(t, at("b", 2000)))
	store(t, dir, "1.txt", written(t, at("a", 1000)))
	store(t, dir, "3", gzipped(t, written(t, at("c", 3000))))
	store(t, dir, "notes.pcap", []byte("these are notes\n"))
	store(t, dir, "log.gz", gzipped(t, []byte("a log, line by line\n")))
	store(t, dir, "empty.pcap", nil)
	store(t, dir, "sub/4", zstandard(t, written(t, at("d", 4000))))
	return dir
}

func TestPaths(t *testing.T) {
	dir := tree(t)
	in := func(names ...string) []string {
		var out []string
		for _, n := range names {
			out = append(out, filepath.Join(dir, n))
		}
		return out
	}
	odd := t.TempDir()
	store(t, odd, "a[1].pcap", written(t, at("odd", 1)))
	for _, tt := range []struct {
		name      string
		paths     []string
		recursive bool
		want      string
	}{
		{"directory", []string{dir}, false, "a1000 b2000 c3000"},
		{"recursive", []string{dir}, true, "a1000 b2000 c3000 d4000"},
		{"pattern", in("[12]*"), false, "a1000 b2000"},
		{"pattern of directories", in("s*"), false, "d4000"},
		{"twice", in("3", "", "1.txt", "*.pcap", "3"), false, "a1000 b2000 c3000"},
		{"a name that looks like a pattern", []string{filepath.Join(odd, "a[1].pcap")}, false, "odd1"},
		{"directory with one capture", []string{odd}, false, "odd1"},
	} {
		packets, r := readAll(t, Config{Paths: tt.paths, Recursive: tt.recursive})
		if got := strings.Join(contents(packets), " "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		for _, e := range r.Errs() {
			if tt.name != "twice" { // there the text and the empty file were named
				t.Errorf("%s: %v", tt.name, e)
			}
		}
	}
}

func TestLinksToOneFileAreReadOnce(t *testing.T) {
	dir := tree(t)
	if err := os.Symlink("2.pcap", filepath.Join(dir, "latest")); err != nil {
		t.Skip(err)
	}
	packets, _ := readAll(t, Config{Paths: []string{dir}})
	if d := cmp.Diff([]string{"a1000", "b2000", "c3000"}, contents(packets)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestDirectoryTellsOfForeignCaptures(t *testing.T) {
	dir := tree(t)
	store(t, dir, "5.pcap.xz", []byte("\xfd7zXZ\x00\x00\x00"))
	_, r := readAll(t, Config{Paths: []string{dir}})
	if errs := r.Errs(); len(errs) != 1 || !strings.Contains(errs[0].Reason, "xz -d") {
		t.Errorf("errors %v, want one about xz", errs)
	}
}

func TestFilesInOrder(t *testing.T) {
	dir := tree(t)
	_, r := readAll(t, Config{Paths: []string{dir}, Recursive: true})
	var got []string
	for _, f := range r.Files() {
		got = append(got, fmt.Sprintf("%s %s %s %d %d-%d %v", filepath.Base(f.Path), f.Format, f.Compression, f.Packets, f.First/1e6, f.Last/1e6, f.Done))
	}
	want := []string{"1.txt pcap-ns  1 1000-1000 true", "2.pcap pcap-ns  1 2000-2000 true", "3 pcap-ns gzip 1 3000-3000 true", "4 pcap-ns zstd 1 4000-4000 true"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	s := r.Stats()
	if s.Read != s.Size || s.Packets != 4 {
		t.Errorf("stats %+v, want everything read", s)
	}
}

func TestHeaderOnlyFiles(t *testing.T) {
	dir := t.TempDir()
	none := store(t, dir, "none", written(t, nil))
	packets, r := readAll(t, Config{Paths: []string{store(t, dir, "a", written(t, at("a", 1, 2))), none}})
	if len(packets) != 2 || len(r.Errs()) != 0 {
		t.Errorf("%d packets, errors %v; want 2 and none", len(packets), r.Errs())
	}
	packets, r = readAll(t, Config{Paths: []string{none}})
	if len(packets) != 0 || len(r.Errs()) != 0 || !r.Files()[0].Done {
		t.Errorf("%d packets, errors %v of a capture without packets", len(packets), r.Errs())
	}
}

func TestStandardInputAmongFiles(t *testing.T) {
	dir := t.TempDir()
	a, b, c := at("a", 1000, 2000), at("b", 3000, 4000), at("c", 5000, 6000)
	conf := Config{
		Paths: []string{store(t, dir, "c", written(t, c)), "-", store(t, dir, "a", written(t, a))},
		Stdin: &drip{data: written(t, b), n: 9},
	}
	packets, _ := readAll(t, conf)
	if d := cmp.Diff(contents(a, b, c), contents(packets)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestPipeDeliversAtOnce(t *testing.T) {
	rd, wr := io.Pipe()
	go func() { _, _ = wr.Write(written(t, at("a", 1))) }()
	r, err := Open(Config{Paths: []string{"-"}, Stdin: rd})
	if err != nil {
		t.Fatal(err)
	}
	arrived := make(chan int)
	go func() {
		var b capture.Batch
		_ = r.Next(&b)
		arrived <- len(b.Packets)
	}()
	select {
	case n := <-arrived:
		if n != 1 {
			t.Errorf("%d packets, want 1", n)
		}
	case <-time.After(10 * time.Second):
		t.Error("a packet waits for more to come")
	}
	if err := wr.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Next(new(capture.Batch)); !errors.Is(err, io.EOF) {
		t.Errorf("Next: %v, want %v", err, io.EOF)
	}
}

func TestManyFilesStayClosed(t *testing.T) {
	dir := t.TempDir()
	for i := range 300 {
		store(t, dir, fmt.Sprintf("%03d", i), written(t, at("p", int64(i)*1000, int64(i)*1000+999)))
	}
	r, err := Open(Config{Paths: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	var b capture.Batch
	most := 0
	for r.Next(&b) == nil {
		most = max(most, len(r.active))
	}
	if s := r.Stats(); s.Packets != 600 || most > 2 {
		t.Errorf("%d packets with %d files open at once, want 600 with at most 2", s.Packets, most)
	}
}

func TestStatsWhileReading(t *testing.T) {
	r, err := Open(Config{Paths: []string{store(t, t.TempDir(), "a", written(t, every("a", 0, 1, 20000)))}})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 1000 {
			if s := r.Stats(); s.Read > s.Size {
				t.Errorf("read %d of %d", s.Read, s.Size)
			}
			r.Files()
			r.Errs()
		}
	}()
	drain(t, r)
	<-done
}

func TestCarriedRecordIsNotInTheBatch(t *testing.T) {
	want := every("a", 0, 1, 100_000)
	r, err := Open(Config{Paths: []string{store(t, t.TempDir(), "a", written(t, want))}})
	if err != nil {
		t.Fatal(err)
	}
	var b capture.Batch
	n := 0
	for r.Next(&b) == nil {
		for _, p := range b.Packets {
			if w := want[n]; string(p.Data) != w.Data || p.Time != w.Time {
				t.Fatalf("packet %d is %q at %d, want %q at %d", n+1, p.Data, p.Time, w.Data, w.Time)
			}
			n++
		}
		clear(b.Buffer) // a consumer that leaves no packets in memory
	}
	if n != len(want) {
		t.Errorf("%d packets, want %d", n, len(want))
	}
}

func TestLongPacketsGrowTheBuffer(t *testing.T) {
	long := strings.Repeat("x", 5<<20)
	data := newClassicFile(big, magicMicro).record(1, 0, 1, 1, "a").record(2, 0, 5<<20, 5<<20, long).record(3, 0, 1, 1, "b").bytes()
	path := store(t, t.TempDir(), "a", data)
	packets, _ := readAll(t, Config{Paths: []string{path}, MaxPacket: 8 << 20})
	if len(packets) != 3 || packets[1].Data != long || packets[2].Data != "b" {
		t.Errorf("%d packets, want 3 with the long one whole", len(packets))
	}
	packets, r := readAll(t, Config{Paths: []string{path}})
	if errs := r.Errs(); len(packets) != 1 || len(errs) != 1 {
		t.Errorf("%d packets, errors %v; want 1 and one of the limit", len(packets), errs)
	}
}
