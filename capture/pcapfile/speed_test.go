package pcapfile

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"telltale/capture"
)

// endless gives head once and then body for ever.
type endless struct {
	head, body []byte
	left       []byte
}

func (e *endless) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		if len(e.head) > 0 {
			m := copy(b[n:], e.head)
			e.head = e.head[m:]
			n += m
			continue
		}
		if len(e.left) == 0 {
			e.left = e.body
		}
		m := copy(b[n:], e.left)
		e.left = e.left[m:]
		n += m
	}
	return n, nil
}

// mix is record data of sizes as they are found in real traffic.
func mix() []string {
	var out []string
	for i, n := range []int{60, 66, 1514, 74, 1514, 90, 583, 60, 1514, 220} {
		out = append(out, strings.Repeat(string(rune('a'+i)), n))
	}
	return out
}

func endlessClassic() *endless {
	c := newClassicFile(little, magicMicro)
	for i, d := range mix() {
		c.record(uint32(i), 0, uint32(len(d)), uint32(len(d)), d)
	}
	return &endless{head: c.head(), body: c.buf}
}

func endlessNG() *endless {
	b := new(blocks).section(little).iface(1, 0)
	n := len(b.buf)
	for i, d := range mix() {
		b.enhanced(0, uint64(i)*1e6, uint32(len(d)), d)
	}
	return &endless{head: b.buf[:n], body: b.buf[n:]}
}

func TestNextAllocatesNothing(t *testing.T) {
	for name, src := range map[string]io.Reader{"pcap": endlessClassic(), "pcapng": endlessNG()} {
		r, err := Open(Config{Paths: []string{"-"}, Stdin: src, Start: 2 * sec})
		if err != nil {
			t.Fatal(err)
		}
		var ring [4]capture.Batch
		i := 0
		next := func() {
			if err := r.Next(&ring[i%len(ring)]); err != nil {
				t.Fatal(err)
			}
			i++
		}
		for range 2 * len(ring) {
			next() // grow to the working size
		}
		if n := testing.AllocsPerRun(200, next); n != 0 {
			t.Errorf("%s: %v allocations a batch, want none", name, n)
		}
	}
}

func TestMergingAllocatesNothing(t *testing.T) {
	dir := t.TempDir()
	paths := []string{
		store(t, dir, "a", written(t, every("a", 0, 2, 60000))),
		store(t, dir, "b", written(t, every("b", 1, 2, 60000))),
	}
	r, err := Open(Config{Paths: paths})
	if err != nil {
		t.Fatal(err)
	}
	var b capture.Batch
	next := func() {
		if err := r.Next(&b); err != nil {
			t.Fatal(err)
		}
	}
	for range 15 {
		next()
	}
	if n := testing.AllocsPerRun(12, next); n != 0 {
		t.Errorf("%v allocations a batch, want none", n)
	}
}

// benchmark reads about a million packets from files made of src and reports the time of each.
func benchmark(b *testing.B, paths ...string) {
	b.Helper()
	b.ReportAllocs()
	var packets, size uint64
	var ring [4]capture.Batch
	for b.Loop() {
		r, err := Open(Config{Paths: paths})
		if err != nil {
			b.Fatal(err)
		}
		i := 0
		for r.Next(&ring[i%len(ring)]) == nil {
			i++
		}
		s := r.Stats()
		packets += s.Packets
		size += s.Bytes
		if errs := r.Errs(); len(errs) > 0 {
			b.Fatal(errs)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/packet")
	b.SetBytes(int64(size / uint64(b.N)))
}

// large returns about size bytes of src, ending with a whole record.
func large(b *testing.B, src *endless, size int) []byte {
	b.Helper()
	n := len(src.head) + size/len(src.body)*len(src.body)
	data := make([]byte, n)
	if _, err := io.ReadFull(src, data); err != nil {
		b.Fatal(err)
	}
	return data
}

func BenchmarkClassic(b *testing.B) {
	benchmark(b, store(b, b.TempDir(), "x", large(b, endlessClassic(), 200<<20)))
}

func BenchmarkPcapng(b *testing.B) {
	benchmark(b, store(b, b.TempDir(), "x", large(b, endlessNG(), 200<<20)))
}

func BenchmarkGzip(b *testing.B) {
	benchmark(b, store(b, b.TempDir(), "x", gzipped(b, large(b, endlessClassic(), 20<<20))))
}

func BenchmarkMerge(b *testing.B) {
	dir := b.TempDir()
	var paths []string
	for i := range 4 {
		var packets []got
		for j := range 50000 {
			packets = append(packets, got{Data: mix()[j%10], Time: int64(j*4+i) * 1e6, Link: 1})
		}
		paths = append(paths, store(b, dir, fmt.Sprint(i), written(b, packets)))
	}
	benchmark(b, paths...)
}

func BenchmarkWriter(b *testing.B) {
	b.ReportAllocs()
	w, err := NewWriter(io.Discard, 1, false)
	if err != nil {
		b.Fatal(err)
	}
	p := capture.Packet{Data: bytes.Repeat([]byte("x"), 500), Time: 1e18, Length: 500, Link: 1}
	for b.Loop() {
		if err := w.Write(&p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFile reads the capture that TELLTALE_CAPTURE names.
func BenchmarkFile(b *testing.B) {
	path := os.Getenv("TELLTALE_CAPTURE")
	if path == "" {
		b.Skip("TELLTALE_CAPTURE names no capture")
	}
	benchmark(b, path)
}
