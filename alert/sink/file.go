package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"telltale/alert"
)

var _ = register(Type{
	Name:         "file",
	About:        "one alert a line, appended to a file; rotation, gzip, fsync",
	Acked:        true,
	Observations: true,
	New:          newFile,
})

// fileSettings are the settings of type file.
type fileSettings struct {
	// Path is the file. Its directory must exist.
	Path string `yaml:"path"`
	// Mode is its permissions when it is made, octal. Default 0640.
	Mode uint32 `yaml:"mode"`
	// RotateMiB is the size from which on it is put aside, RotateEvery the age. 0 is
	// never.
	RotateMiB   int64         `yaml:"rotate_mib"`
	RotateEvery time.Duration `yaml:"rotate_every"`
	// Keep is the number of files put aside that are kept; the oldest go. 0 is all.
	Keep int `yaml:"keep"`
	// Compress puts files aside compressed with gzip.
	Compress bool `yaml:"compress"`
	// Sync is when the disk is waited for: "batch" after each batch, before it counts as
	// delivered, or "never". Default batch.
	Sync string `yaml:"sync"`
}

func (c *fileSettings) validate() error {
	var errs []error
	if c.Path == "" {
		errs = append(errs, errors.New("path is missing: name the file"))
	}
	if c.Sync != "batch" && c.Sync != "never" {
		errs = append(errs, fmt.Errorf("sync must be batch or never, not %q", c.Sync))
	}
	if c.RotateMiB < 0 || c.RotateEvery < 0 || c.Keep < 0 {
		errs = append(errs, errors.New("rotate_mib, rotate_every and keep must not be negative"))
	}
	if c.Mode > 0o777 {
		errs = append(errs, fmt.Errorf("mode %o: give permissions like 0640", c.Mode))
	}
	return errors.Join(errs...)
}

// file appends lines to a file.
type file struct {
	conf   fileSettings
	f      *os.File
	size   int64
	born   time.Time
	buf    []byte
	reopen atomic.Bool
	aside  aside
}

func newFile(e *Entry) (alert.Sink, error) {
	s := &file{conf: fileSettings{Mode: 0o640, Sync: "batch"}}
	if err := e.Decode(&s.conf); err != nil {
		return nil, err
	}
	if err := s.conf.validate(); err != nil {
		return nil, err
	}
	s.aside = aside{path: s.conf.Path, keep: s.conf.Keep, compress: s.conf.Compress}
	return s, nil
}

// Reopen makes the next Send open the file anew: it was moved away.
func (s *file) Reopen() { s.reopen.Store(true) }

// Send implements alert.Sink. A batch is written whole or not at all.
func (s *file) Send(ctx context.Context, batch []alert.Record) alert.Outcome {
	s.buf = s.buf[:0]
	for i := range batch {
		s.buf = append(append(s.buf, batch[i].Body...), '\n')
	}
	if err := s.ready(ctx); err != nil {
		return alert.Outcome{Err: err}
	}
	if _, err := s.f.Write(s.buf); err != nil {
		err = fmt.Errorf("writing: %w", err)
		if cut := s.f.Truncate(s.size); cut != nil { // half a line would spoil the next
			err = errors.Join(err, cut, s.shut())
		}
		alert.Trace(ctx, alert.Step{Name: "write", Detail: s.conf.Path, Err: err})
		return alert.Outcome{Err: err}
	}
	alert.Trace(ctx, alert.Step{Name: "write", Detail: fmt.Sprintf("%d bytes", len(s.buf))})
	if s.conf.Sync == "batch" {
		err := s.f.Sync()
		alert.Trace(ctx, alert.Step{Name: "sync", Detail: "the disk has it", Err: err})
		if err != nil { // what the disk has is unknown: never trust this descriptor again
			return alert.Outcome{Err: fmt.Errorf("waiting for the disk: %w", errors.Join(err, s.shut()))}
		}
	}
	s.size += int64(len(s.buf))
	return alert.Outcome{Done: len(batch)}
}

// ready opens the file if it is not open or no longer the one at its path, and puts it
// aside if it is due.
func (s *file) ready(ctx context.Context) error {
	if s.f != nil && (s.reopen.Swap(false) || s.moved()) {
		if err := s.shut(); err != nil {
			return fmt.Errorf("closing: %w", err)
		}
	}
	if s.f == nil {
		err := s.open()
		alert.Trace(ctx, alert.Step{Name: "open", Detail: s.conf.Path, Err: err})
		if err != nil {
			return err
		}
	}
	if !s.due() {
		return nil
	}
	if err := s.shut(); err != nil {
		return fmt.Errorf("closing: %w", err)
	}
	if err := s.aside.put(time.Now()); err != nil {
		return err
	}
	return s.open()
}

// moved says that the file at the path is another than the open one.
func (s *file) moved() bool {
	at, err := os.Stat(s.conf.Path)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	open, err := s.f.Stat()
	return err != nil || !os.SameFile(at, open)
}

func (s *file) due() bool {
	if s.size == 0 {
		return false
	}
	big := s.conf.RotateMiB > 0 && s.size+int64(len(s.buf)) > s.conf.RotateMiB<<20
	return big || s.conf.RotateEvery > 0 && time.Since(s.born) >= s.conf.RotateEvery
}

func (s *file) open() error {
	f, err := os.OpenFile(s.conf.Path, os.O_RDWR|os.O_APPEND|os.O_CREATE, os.FileMode(s.conf.Mode))
	if err != nil {
		return fmt.Errorf("opening the file: %w: check path, and that the sensor may write there", err)
	}
	s.f, s.born = f, time.Now()
	if s.size, err = mend(f); err != nil {
		return errors.Join(fmt.Errorf("looking for a line cut short: %w", err), s.shut())
	}
	if s.size > 0 {
		if st, err := f.Stat(); err == nil {
			s.born = st.ModTime() // no older than this
		}
	}
	if err := syncDir(filepath.Dir(s.conf.Path)); err != nil && s.conf.Sync == "batch" {
		return errors.Join(err, s.shut())
	}
	return nil
}

func (s *file) shut() error {
	f := s.f
	s.f = nil
	return f.Close()
}

// Close implements alert.Sink.
func (s *file) Close() error {
	s.aside.wait()
	if s.f == nil {
		return nil
	}
	return s.shut()
}

// maxLine bounds how far back a line cut short can reach.
const maxLine = 1 << 20

// mend cuts off a line that a crash left without its end: it did not count as delivered
// and comes again. It returns the size of the file.
func mend(f *os.File) (int64, error) {
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() || st.Size() == 0 {
		return 0, err
	}
	from := max(st.Size()-maxLine, 0)
	tail := make([]byte, st.Size()-from)
	if _, err := f.ReadAt(tail, from); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	end := len(tail)
	for end > 0 && tail[end-1] != '\n' {
		end--
	}
	if end == len(tail) || end == 0 && from > 0 { // whole, or no file of lines
		return st.Size(), nil
	}
	return from + int64(end), f.Truncate(from + int64(end))
}

// syncDir makes names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("opening the directory: %w", err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("waiting for the directory: %w", err)
	}
	return nil
}
