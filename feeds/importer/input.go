package importer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// input is the text of a list.
type input struct {
	r    *bufio.Reader
	line int // number of the line last returned by next
	err  error
	// comment is the last line taken for a comment by data.
	comment string
}

// errTooLarge says that a list is larger than Options.MaxBytes.
var errTooLarge = errors.New("too large")

// limited reads at most left bytes and then fails, where io.LimitReader just ends.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(b []byte) (int, error) {
	if l.left <= 0 {
		var one [1]byte
		n, err := io.ReadFull(l.r, one[:])
		if n == 1 {
			return 0, errTooLarge
		}
		return 0, err
	}
	n, err := l.r.Read(b[:min(int64(len(b)), l.left)])
	l.left -= int64(n)
	return n, err
}

// Magic numbers of RFC 1952 and RFC 8878.
var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

// open unpacks r where it is gzip or zstd, by content. The returned function releases
// what unpacking took.
func open(r io.Reader, maxBytes int64) (*input, func(), error) {
	begin := bufio.NewReaderSize(&limited{r, maxBytes}, maxLine)
	magic, _ := begin.Peek(4)
	done := func() {}
	var text io.Reader = begin
	switch {
	case bytes.HasPrefix(magic, gzipMagic):
		z, err := gzip.NewReader(begin)
		if err != nil {
			return nil, nil, fmt.Errorf("unpacking gzip: %w", err)
		}
		text = z
	case bytes.HasPrefix(magic, zstdMagic):
		z, err := zstd.NewReader(begin, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
		if err != nil {
			return nil, nil, fmt.Errorf("unpacking zstd: %w", err)
		}
		text, done = z, z.Close
	default:
		return &input{r: begin}, done, nil
	}
	return &input{r: bufio.NewReaderSize(&limited{text, maxBytes}, maxLine)}, done, nil
}

// next returns the next line without its end, and false after the last. What it
// returns is good until the next call. A line that is too long is bad.
func (in *input) next(out *sink) ([]byte, bool) {
	for in.err == nil {
		b, err := in.r.ReadSlice('\n')
		in.line++
		if errors.Is(err, bufio.ErrBufferFull) {
			out.bad(in.line, "longer than %d bytes", maxLine)
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = in.r.ReadSlice('\n')
			}
			in.fail(err)
			continue
		}
		in.fail(err)
		if len(b) == 0 && in.err != nil {
			in.line--
			break
		}
		if in.line == 1 {
			b = bytes.TrimPrefix(b, []byte("\ufeff"))
		}
		return bytes.TrimSpace(b), true
	}
	return nil, false
}

func (in *input) fail(err error) {
	if err != nil {
		in.err = err
	}
}

// data returns the next line that is neither empty nor a comment, which begins with one
// of the given bytes.
func (in *input) data(out *sink, comments string) ([]byte, bool) {
	for {
		b, ok := in.next(out)
		switch {
		case !ok || out.full():
			return nil, false
		case len(b) == 0:
		case bytes.IndexByte([]byte(comments), b[0]) >= 0:
			in.comment = string(b)
		default:
			return b, true
		}
	}
}

// failed returns what ended the reading before the end of the list.
func (in *input) failed() error {
	if in.err == nil || errors.Is(in.err, io.EOF) {
		return nil
	}
	return in.err
}
