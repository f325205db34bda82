package pcapfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"telltale/capture"
)

var (
	little = binary.LittleEndian
	big    = binary.BigEndian
)

const sec = int64(second)

func TestClassicFormats(t *testing.T) {
	for _, o := range []order{little, big} {
		for _, tt := range []struct {
			magic  uint32
			unit   int64
			format string
		}{{magicMicro, 1000, "pcap"}, {magicNano, 1, "pcap-ns"}, {magicModified, 1000, "pcap-modified"}} {
			t.Run(fmt.Sprintf("%s %v", tt.format, o), func(t *testing.T) {
				f := newClassicFile(o, tt.magic)
				f.link = 0x14000071 // a frame check sequence of 4 bytes after Linux cooked packets
				f.record(1, 999999, 3, 60, "abc").record(math.MaxUint32, 7, 0, 0, "").record(3, 0, 200, 200, strings.Repeat("x", 200))
				packets, r := readAll(t, Config{Paths: []string{store(t, t.TempDir(), "noname", f.bytes())}})
				want := []got{
					{"abc", sec + 999999*tt.unit, 1, 60, capture.LinkSLL},
					{"", math.MaxUint32*sec + 7*tt.unit, 2, 0, capture.LinkSLL},
					{strings.Repeat("x", 200), 3 * sec, 3, 200, capture.LinkSLL}, // beyond the snap length of 96
				}
				if d := cmp.Diff(want, packets); d != "" {
					t.Errorf("packets (-want +got):\n%s", d)
				}
				if got := r.Files()[0].Format; got != tt.format {
					t.Errorf("format %q, want %q", got, tt.format)
				}
				if errs := r.Errs(); len(errs) > 0 {
					t.Errorf("errors of a sound file: %v", errs)
				}
			})
		}
	}
}

func TestClassicOldVersions(t *testing.T) {
	for minor := uint16(0); minor <= 4; minor++ {
		f := newClassicFile(big, magicMicro)
		f.minor = minor
		f.record(1, 0, 3, 60, "abc")
		if minor < 4 {
			f.record(2, 0, 60, 3, "def") // lengths the other way round
		} else {
			f.record(2, 0, 3, 0, "def") // no wire length
		}
		packets, _ := readAll(t, Config{Paths: []string{store(t, t.TempDir(), "old", f.bytes())}})
		want := []got{{"abc", sec, 1, 60, 1}, {"def", 2 * sec, 2, 60, 1}}
		if minor == 4 {
			want[1].Length = 3
		}
		if d := cmp.Diff(want, packets); d != "" {
			t.Errorf("version 2.%d (-want +got):\n%s", minor, d)
		}
	}
}

func TestPcapng(t *testing.T) {
	b := new(blocks).section(little)
	b.block(0x0bad, []byte("an unknown block"))
	b.iface(1, 0)
	b.iface(113, 5, b.option(optionTSResol, []byte{9}), b.option(optionTSOffset, little.AppendUint64(nil, 100)))
	b.iface(101, 0, b.option(optionTSResol, []byte{0x80 | 10}))
	b.enhanced(0, 1_500_000, 60, "abc")
	b.enhanced(1, 1_500_000_000, 5, "hello")
	b.enhanced(2, 3<<10|512, 2, "ip")
	b.block(blockPacket, append(append(little.AppendUint16(little.AppendUint16(nil, 1), 77),
		little.AppendUint32(little.AppendUint32(little.AppendUint32(little.AppendUint32(nil, 0), 5), 3), 9)...), "old"...))
	b.block(blockSimple, append(little.AppendUint32(nil, 4), "simp"...))
	b.section(big)
	b.iface(276, 2)
	b.enhanced(0, 9_000_000, 4, "next")
	b.block(blockSimple, append(big.AppendUint32(nil, 40), "sn"...))
	want := []got{
		{"abc", 1_500_000_000, 1, 60, capture.LinkEthernet},
		{"hello", 101_500_000_000, 2, 5, capture.LinkSLL},
		{"ip", 3_500_000_000, 3, 2, capture.LinkRaw},
		{"old", 100_000_000_005, 4, 9, capture.LinkSLL},
		{"simp", 100_000_000_005, 5, 4, capture.LinkEthernet},
		{"next", 9_000_000_000, 6, 4, capture.LinkSLL2},
		{"sn", 9_000_000_000, 7, 40, capture.LinkSLL2},
	}
	packets, r := readAll(t, Config{Paths: []string{store(t, t.TempDir(), "ng", b.buf)}})
	if d := cmp.Diff(want, packets); d != "" {
		t.Errorf("packets (-want +got):\n%s", d)
	}
	info := r.Files()[0]
	links := []capture.LinkType{capture.LinkEthernet, capture.LinkSLL, capture.LinkRaw, capture.LinkSLL2}
	if d := cmp.Diff(links, info.Links); d != "" {
		t.Errorf("link types (-want +got):\n%s", d)
	}
	if info.Format != "pcapng" || info.Packets != 7 || info.First != 1_500_000_000 || info.Last != 101_500_000_000 || !info.Done {
		t.Errorf("info = %+v", info)
	}
	// Many small reads: every block is cut somewhere.
	split, _ := readAll(t, Config{Paths: []string{"-"}, Stdin: &drip{data: b.buf, n: 1}})
	if d := cmp.Diff(want, split); d != "" {
		t.Errorf("byte by byte (-want +got):\n%s", d)
	}
}

func TestPcapngSkipsHugeUnknownBlock(t *testing.T) {
	b := new(blocks).section(little).iface(1, 0)
	b.enhanced(0, 1, 1, "a")
	b.block(0x0bad, make([]byte, 3*chunkSize))
	b.enhanced(0, 2, 1, "b")
	r, err := Open(Config{Paths: []string{store(t, t.TempDir(), "ng", b.buf)}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"a", "b"} {
		var batch capture.Batch
		if err := r.Next(&batch); err != nil {
			t.Fatal(err)
		}
		if len(batch.Packets) != 1 || string(batch.Packets[0].Data) != want {
			t.Errorf("batch %d: %v, want one packet %q", i+1, batch.Packets, want)
		}
		if n := cap(batch.Buffer); n > chunkSize {
			t.Errorf("batch %d: a buffer of %d bytes for a block that is passed over", i+1, n)
		}
	}
	if errs := r.Errs(); len(errs) != 0 {
		t.Errorf("errors %v of a sound file", errs)
	}
}

func TestResolution(t *testing.T) {
	for _, tt := range []struct {
		resol  byte
		offset int64
		time   uint64
		want   int64
	}{
		{6, 0, 1, 1000},
		{0, 0, 7, 7 * sec},
		{9, 0, 5, 5},
		{12, 0, 5999, 5},
		{28, 0, math.MaxUint64, 1},
		{29, 0, math.MaxUint64, 0},
		{127, 0, math.MaxUint64, 0},
		{0x80, 0, 5, 5 * sec},
		{0x80 | 1, 0, 5, 5 * sec / 2},
		{0x80 | 32, 0, 3<<32 | 1<<31, 3*sec + sec/2},
		{0x80 | 63, 0, 1<<63 | 1<<62, sec + sec/2},
		{0x80 | 64, 0, 1 << 63, sec / 2},
		{0x80 | 127, 0, math.MaxUint64, 0},
		{6, 0, math.MaxUint64, math.MaxInt64},
		{0, 0, math.MaxUint64, math.MaxInt64},
		{0x80, 0, math.MaxUint64, math.MaxInt64},
		{0x80, 0, math.MaxInt64 / second, math.MaxInt64 / second * sec},
		{6, 10, 1, 10*sec + 1000},
		{6, -10, 11_000_000, sec},
		{6, -10, 1, 0},
		{6, math.MaxInt64, 1, math.MaxInt64/second*sec + 1000},
		{6, math.MinInt64, math.MaxUint64, math.MaxInt64 - math.MaxInt64/second*sec},
		{6, 1, math.MaxUint64, math.MaxInt64},
	} {
		r := newResolution(tt.resol, tt.offset)
		if got := r.nanoseconds(tt.time); got != tt.want {
			t.Errorf("resolution %#x offset %d: time %d is %d ns, want %d", tt.resol, tt.offset, tt.time, got, tt.want)
		}
	}
}

func TestCompressed(t *testing.T) {
	plain := newClassicFile(little, magicMicro).record(1, 0, 1, 1, "a").record(2, 0, 2, 2, "bb").bytes()
	ng := new(blocks).section(big).iface(1, 0).enhanced(0, 1_000_000, 1, "a").enhanced(0, 2_000_000, 2, "bb").buf
	want := []got{{"a", sec, 1, 1, 1}, {"bb", 2 * sec, 2, 2, 1}}
	skippable := append([]byte("\x50\x2a\x4d\x18\x03\x00\x00\x00"), "pad"...)
	for _, tt := range []struct {
		name, compression string
		data              []byte
	}{
		{"plain", "", plain},
		{"gzip", "gzip", gzipped(t, plain)},
		{"gzip of many members", "gzip", gzipped(t, plain[:2], plain[2:30], plain[30:])},
		{"gzip of pcapng", "gzip", gzipped(t, ng)},
		{"zstd", "zstd", zstandard(t, plain)},
		{"zstd of many frames", "zstd", zstandard(t, ng[:3], ng[3:40], ng[40:])},
		{"zstd after a skippable frame", "zstd", append(skippable, zstandard(t, plain)...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			packets, r := readAll(t, Config{Paths: []string{store(t, t.TempDir(), "x", tt.data)}})
			if d := cmp.Diff(want, packets); d != "" {
				t.Errorf("file (-want +got):\n%s", d)
			}
			if got := r.Files()[0].Compression; got != tt.compression {
				t.Errorf("compression %q, want %q", got, tt.compression)
			}
			if s := r.Stats(); s.Read != int64(len(tt.data)) || s.Size != int64(len(tt.data)) {
				t.Errorf("read %d of %d bytes, want all of %d", s.Read, s.Size, len(tt.data))
			}
			packets, r = readAll(t, Config{Paths: []string{"-"}, Stdin: bytes.NewReader(tt.data)})
			if d := cmp.Diff(want, packets); d != "" {
				t.Errorf("standard input (-want +got):\n%s", d)
			}
			if s := r.Stats(); s.Read != int64(len(tt.data)) || s.Size != 0 {
				t.Errorf("read %d of %d bytes of a pipe, want %d of an unknown size", s.Read, s.Size, len(tt.data))
			}
		})
	}
}

// drip gives n bytes a read.
type drip struct {
	data []byte
	n    int
	err  error // at the end, nil for io.EOF
}

func (d *drip) Read(b []byte) (int, error) {
	n := copy(b[:min(d.n, len(b))], d.data)
	d.data = d.data[n:]
	if n == 0 {
		return 0, d.end()
	}
	return n, nil
}
