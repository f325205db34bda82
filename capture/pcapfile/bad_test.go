package pcapfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/capture"
)

func (d *drip) end() error {
	if d.err != nil {
		return d.err
	}
	return io.EOF
}

func two() *classicFile {
	return newClassicFile(little, magicMicro).record(1, 0, 1, 1, "a").record(2, 0, 2, 2, "bb")
}

func twoNG() *blocks {
	return new(blocks).section(little).iface(1, 0).enhanced(0, 1, 1, "a").enhanced(0, 2, 2, "bb")
}

// damage is a file that cannot be read to its end.
type damage struct {
	name    string
	data    []byte
	problem Problem
	packets int
	offset  int64
	reason  string // part of it
}

func damages(t *testing.T) []damage {
	classic, ng := two().bytes(), twoNG().buf
	third := int64(len(classic))
	ngThird := int64(len(ng))
	impossible := twoNG()
	impossible.buf = append(impossible.buf, "\x06\x00\x00\x00\x0d\x00\x00\x00aaaaaaaa"...)
	trailer := twoNG().enhanced(0, 3, 1, "c")
	trailer.buf[len(trailer.buf)-1] = 9
	mark := twoNG().section(little)
	mark.buf[ngThird+8] ^= 0xff
	version := twoNG().section(big)
	version.buf[ngThird+13] = 7
	long := twoNG()
	long.block(blockEnhanced, make([]byte, DefaultMaxPacket+blockSlack))
	caplen := twoNG().enhanced(0, 3, 1, "c")
	caplen.buf[ngThird+8+12] = 200
	gz, zs := gzipped(t, classic), zstandard(t, classic)
	badsum := gzipped(t, classic)
	badsum[len(badsum)-5] ^= 1
	return []damage{
		{"cut in a record header", append(two().bytes(), 1, 2, 3), Truncated, 2, third, "middle of a packet"},
		{"cut in a packet", two().record(3, 0, 9, 9, "c").bytes(), Truncated, 2, third, "middle of a packet"},
		{"packet over the limit", two().record(3, 0, DefaultMaxPacket+1, 9, "c").bytes(), Damaged, 2, third, "raise the limit"},
		{"cut in a block", twoNG().enhanced(0, 3, 1, "c").buf[:ngThird+40], Truncated, 2, ngThird, "middle of a packet"},
		{"cut in a block header", twoNG().enhanced(0, 3, 1, "c").buf[:ngThird+5], Truncated, 2, ngThird, "middle of a packet"},
		{"cut in a huge unknown block", twoNG().block(77, make([]byte, 2*chunkSize)).buf[:ngThird+chunkSize], Truncated, 2, ngThird + chunkSize, "middle"},
		{"impossible block length", impossible.buf, Damaged, 2, ngThird, "impossible length 13"},
		{"lengths of a block differ", trailer.buf, Damaged, 2, ngThird, "length"},
		{"unknown byte order mark", mark.buf, Damaged, 2, ngThird, "byte order mark"},
		{"unknown version of a section", version.buf, Damaged, 2, ngThird, "version 7.0"},
		{"block over the limit", long.buf, Damaged, 2, ngThird, "raise the limit"},
		{"captured length beyond the block", caplen.buf, Damaged, 2, ngThird, "too short"},
		{"short packet block", twoNG().block(blockEnhanced, make([]byte, 16)).buf, Damaged, 2, ngThird, "too short"},
		{"short obsolete packet block", twoNG().block(blockPacket, make([]byte, 16)).buf, Damaged, 2, ngThird, "too short"},
		{"short simple packet block", twoNG().block(blockSimple, nil).buf, Damaged, 2, ngThird, "too short"},
		{"short interface block", twoNG().block(blockInterface, make([]byte, 4)).buf, Damaged, 2, ngThird, "too short"},
		{"unknown interface", twoNG().enhanced(1, 3, 1, "c").buf, Damaged, 2, ngThird, "interface 1"},
		{"simple packet without interface", twoNG().section(big).block(blockSimple, make([]byte, 8)).buf, Damaged, 2, ngThird + 36, "interface 0"},
		{"gzip cut short", gz[:len(gz)-4], Truncated, 2, third, "fetch the file again"},
		{"gzip with a wrong checksum", badsum, Damaged, 2, third, "checksum"},
		{"garbage after gzip", append(gzipped(t, classic), "garbage, more of it"...), Damaged, 2, third, "damaged"},
		{"zstd cut short", append(zs, zs[:len(zs)-2]...), Truncated, 2, third, "fetch the file again"},
		{"gzip around a cut capture", gzipped(t, classic[:len(classic)-1]), Truncated, 1, third - 18, "middle of a packet"},
	}
}

func TestDamageKeepsWhatIsBefore(t *testing.T) {
	good := two().bytes()
	for _, d := range damages(t) {
		t.Run(d.name, func(t *testing.T) {
			dir := t.TempDir()
			bad := store(t, dir, "bad", d.data)
			packets, r := readAll(t, Config{Paths: []string{bad, store(t, dir, "good", good)}})
			if want := d.packets + 2; len(packets) != want {
				t.Errorf("%d packets, want %d", len(packets), want)
			}
			errs := r.Errs()
			if len(errs) != 1 {
				t.Fatalf("errors %v, want one", errs)
			}
			d.check(t, bad, errs[0])
			for _, info := range r.Files() {
				if !info.Done || (info.Path == bad) != (info.Err == errs[0]) {
					t.Errorf("info %+v", info)
				}
			}
		})
	}
}

func (d damage) check(t *testing.T, path string, e *FileError) {
	t.Helper()
	if e.Problem != d.problem || e.Packets != uint64(d.packets) || e.Offset != d.offset || e.Path != path || !strings.Contains(e.Reason, d.reason) {
		t.Errorf("got %+v\nwant %v after %d packets at %d, saying %q", e, d.problem, d.packets, d.offset, d.reason)
	}
	if e.Warning() != (d.problem == Truncated) {
		t.Errorf("Warning() = %v for %v", e.Warning(), e.Problem)
	}
}

func TestRefused(t *testing.T) {
	classic, ng := two().bytes(), twoNG().buf
	newer := newClassicFile(little, magicMicro)
	newer.minor = 5
	for _, tt := range []struct {
		name    string
		data    []byte
		problem Problem
		reason  string
	}{
		{"empty", nil, NotCapture, "empty file"},
		{"three bytes", classic[:3], NotCapture, "unknown format"},
		{"text", []byte("hello, this is a text\n"), NotCapture, "text, not a capture"},
		{"unknown", []byte("\x00\x01\x02\x03\x04"), NotCapture, "begins with 00 01 02 03"},
		{"xz", []byte("\xfd7zXZ\x00\x00"), NotCapture, "xz: decompress first with xz -d"},
		{"bzip2", []byte("BZh91AY&SY"), NotCapture, "bzip2 -d"},
		{"snoop", []byte("snoop\x00\x00\x00\x00\x00\x00\x02"), NotCapture, "editcap"},
		{"gzip of text", gzipped(t, []byte("hello, this is a text\n")), NotCapture, "text, not a capture"},
		{"gzip of nothing", gzipped(t, nil), NotCapture, "empty file"},
		{"gzip twice", gzipped(t, gzipped(t, classic)), NotCapture, "compressed twice"},
		{"gzip header cut short", gzipped(t, classic)[:5], Truncated, "gzip data are cut short"},
		{"gzip of a few bytes", gzipped(t, classic[:9]), Truncated, "file header"},
		{"zstd header cut short", zstandard(t, classic)[:5], Truncated, "zstd data are cut short"},
		{"file header cut short", classic[:23], Truncated, "file header"},
		{"section header cut short", ng[:27], Truncated, "file header"},
		{"newer version", newer.bytes(), Damaged, "version 2.5"},
		{"section with a wrong mark", append([]byte("\n\r\r\n"), make([]byte, 40)...), Damaged, "byte order mark"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := store(t, t.TempDir(), "x.pcap", tt.data)
			_, err := Open(Config{Paths: []string{path}})
			var e *FileError
			if !errors.As(err, &e) {
				t.Fatalf("error %v, want a FileError", err)
			}
			if e.Problem != tt.problem || !strings.Contains(e.Reason, tt.reason) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v: %v\nwant %v: %s", e.Problem, err, tt.problem, tt.reason)
			}
		})
	}
}

func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	gone := filepath.Join(dir, "gone.pcap")
	_, err := Open(Config{Paths: []string{gone, empty, filepath.Join(dir, "*.nothing")}})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v does not wrap %v", err, fs.ErrNotExist)
	}
	for _, part := range []string{gone + ": no such file", empty + ": a directory without captures", "*.nothing: no such file"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v\ndoes not say %q", err, part)
		}
	}
	broken := errors.New("connection reset")
	packets, r := readAll(t, Config{Paths: []string{"-"}, Stdin: &drip{data: two().bytes(), n: 10, err: broken}})
	errs := r.Errs()
	if len(packets) != 2 || len(errs) != 1 || errs[0].Problem != Unreadable || !errors.Is(errs[0], broken) {
		t.Errorf("%d packets, errors %v; want 2 and %v", len(packets), errs, broken)
	}
}

func TestFileVanishesAfterOpen(t *testing.T) {
	dir := t.TempDir()
	a := store(t, dir, "a", two().bytes())
	b := store(t, dir, "b", newClassicFile(little, magicMicro).record(9, 0, 1, 1, "z").bytes())
	r, err := Open(Config{Paths: []string{a, b}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(b); err != nil {
		t.Fatal(err)
	}
	packets := drain(t, r)
	if errs := r.Errs(); len(packets) != 2 || len(errs) != 1 || errs[0].Path != b {
		t.Errorf("%d packets, errors %v; want 2 and one of %s", len(packets), errs, b)
	}
}

func TestNextAfterClose(t *testing.T) {
	r, err := Open(Config{Paths: []string{store(t, t.TempDir(), "a", two().bytes())}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Next(new(capture.Batch)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Next after Close: %v, want %v", err, fs.ErrClosed)
	}
}

func TestFileErrorQuotesOddNames(t *testing.T) {
	e := &FileError{Path: "a\x1b[31m.pcap", Reason: "why"}
	if got, want := e.Error(), `"a\x1b[31m.pcap": why`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
