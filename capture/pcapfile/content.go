package pcapfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	// storedBuffer is what is read at once of a compressed file.
	storedBuffer = 128 << 10
	// maxWindow is the most a zstd frame may make the decoder remember, enough for
	// zstd --ultra -22 and --long=27.
	maxWindow = 128 << 20
)

// stored is a file as it lies on disk or comes through a pipe.
type stored struct {
	r      io.Reader
	read   *atomic.Int64 // counts the bytes read
	failed error         // what reading failed with, if it did
}

func (s *stored) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	s.read.Add(int64(n))
	if err != nil && !errors.Is(err, io.EOF) {
		s.failed = err
	}
	return n, err
}

// content is what is stored in a file, decompressed.
type content struct {
	io.Reader
	raw         *stored
	compression string // "", "gzip" or "zstd"
	release     func()
}

// decompress tells by the first bytes whether raw is compressed.
func decompress(raw *stored) (content, *FileError) {
	c := content{raw: raw, release: func() {}}
	head, ferr := c.head(raw, magicLength)
	if ferr != nil {
		return c, ferr
	}
	c.Reader = &prefixed{head: head, r: raw}
	var err error
	switch sniff(head) {
	case kindGzip:
		c.compression = "gzip"
		c.Reader, err = gzip.NewReader(bufio.NewReaderSize(c.Reader, storedBuffer))
	case kindZstd:
		c.compression = "zstd"
		var z *zstd.Decoder
		// One thread keeps many open files cheap; a larger window would be an attack on memory.
		z, err = zstd.NewReader(bufio.NewReaderSize(c.Reader, storedBuffer),
			zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
		if err == nil {
			c.Reader, c.release = z, z.Close
		}
	}
	if err != nil {
		return c, c.fault(err)
	}
	return c, nil
}

// head returns the first n bytes of r, fewer if r ends before.
func (c *content) head(r io.Reader, n int) ([]byte, *FileError) {
	head := make([]byte, n)
	m, err := readUp(r, head, false)
	if err == nil || errors.Is(err, io.EOF) {
		return head[:m], nil
	}
	return nil, c.fault(err)
}

// readUp reads until buf is full or, if live, until there is something in it.
func readUp(r io.Reader, buf []byte, live bool) (int, error) {
	n := 0
	for idle := 0; n < len(buf); {
		m, err := r.Read(buf[n:])
		n += m
		if err != nil {
			return n, err
		}
		if live && m > 0 {
			break
		}
		if m > 0 {
			idle = 0
		} else if idle++; idle > 100 {
			return n, io.ErrNoProgress
		}
	}
	return n, nil
}

// fault explains an error other than io.EOF that reading c has met.
func (c *content) fault(err error) *FileError {
	e := &FileError{Err: err}
	switch {
	case c.raw.failed != nil, c.compression == "":
		if c.raw.failed != nil {
			e.Err = c.raw.failed
		}
		e.Problem, e.Reason = Unreadable, readAdvice(e.Err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e.Problem = Truncated
		e.Reason = "the " + c.compression + " data are cut short: fetch the file again or wait until it is written"
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		e.Problem, e.foreign = NotCapture, true
		e.Reason = "its zstd window exceeds 128 MiB: decompress first with zstd -d --long=31"
	default:
		e.Problem = Damaged
		e.Reason = fmt.Sprintf("the %s data are damaged here (%v): fetch the file again", c.compression, err)
	}
	return e
}

// readAdvice explains an error of opening or reading a file.
func readAdvice(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "no permission to read it: run as a user who may, or change its mode"
	case errors.Is(err, fs.ErrNotExist):
		return "no such file: check the name"
	}
	var perr *fs.PathError
	if errors.As(err, &perr) {
		err = perr.Err
	}
	return fmt.Sprintf("reading failed (%v): check the disk or the connection", err)
}

// prefixed gives back bytes that were taken from r.
type prefixed struct {
	head []byte
	r    io.Reader
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.head) > 0 {
		n := copy(b, p.head)
		p.head = p.head[n:]
		return n, nil
	}
	return p.r.Read(b)
}
