//go:build unix

package importer

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"testing"

	"telltale/feeds"
)

// BenchmarkMillion reads a list of a million domains and compiles it. What counts is
// the CPU, which is reported beside the time.
func BenchmarkMillion(b *testing.B) {
	for _, format := range []string{"plain", "hosts"} {
		list := million()
		if format == "hosts" {
			list = bytes.ReplaceAll(append([]byte("0.0.0.0 "), bytes.TrimSpace(list)...), []byte("\n"), []byte("\n0.0.0.0 "))
		}
		b.Run(format, func(b *testing.B) {
			begun := cpu(b)
			for b.Loop() {
				f := newFeed()
				if rep, err := Read(bytes.NewReader(list), f, Options{}); err != nil || rep.Names != 1_000_000 {
					b.Fatalf("%+v: %v", rep, err)
				}
				if _, err := feeds.Compile(&feeds.Library{Feeds: []*feeds.Feed{f}}, feeds.Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpu(b)-begun)/float64(b.N), "cpu-s/op")
		})
	}
}

// million returns a list of a million domains.
func million() []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var text bytes.Buffer
	for i := range 1_000_000 {
		fmt.Fprintf(&text, "%x%d.%s\n", r.Uint32()&0xffff, i, []string{"com", "net", "org", "co.uk", "de"}[r.IntN(5)])
	}
	return text.Bytes()
}

// TestMillionStaysSmall holds the memory that stays resident after a list was read and
// compiled against the 80 bytes a name that it may take.
func TestMillionStaysSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector's shadow memory would be counted too")
	}
	path := filepath.Join(t.TempDir(), "list.txt")
	if err := os.WriteFile(path, million(), 0o600); err != nil {
		t.Fatal(err)
	}
	before := resident(t)
	list, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = list.Close() }()
	f := newFeed()
	if _, err := Read(list, f, Options{}); err != nil {
		t.Fatal(err)
	}
	set, err := feeds.Compile(&feeds.Library{Feeds: []*feeds.Feed{f}}, feeds.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f = nil
	per := float64(resident(t)-before) / 1e6
	if len(set.Name([]byte("www.example.com"), nil)) != 0 { // keeps the Set
		t.Error("a name that is not listed is found")
	}
	if per > 80 {
		t.Errorf("%.1f bytes resident a name, want at most 80", per)
	}
	t.Logf("%.1f bytes resident a name", per)
}

// resident returns the bytes of memory this process holds, garbage given back.
func resident(t *testing.T) int64 {
	t.Helper()
	debug.FreeOSMemory()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// cpu returns the seconds of CPU this process has used.
func cpu(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Skip(err)
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}
