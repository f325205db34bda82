package pcapfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"

	"telltale/capture"
)

// Reader delivers the packets of capture files as one stream. Stats, Files and Errs
// may be called from any goroutine, Next and Close from one at a time.
type Reader struct {
	conf    Config
	waiting []*input // in order, not begun
	active  []*file  // begun, in order
	finish  *file    // the active file that is to end before waiting[0] is begun, nil if none
	free    []*chunk
	ordinal uint64
	closed  bool
	stats   counters

	mu   sync.Mutex
	errs []*FileError // guarded by mu
	seen []*progress  // of the inputs, in order; set by Open
}

// counters are what Stats returns.
type counters struct {
	packets, bytes, skipped, cut atomic.Uint64
	read                         atomic.Int64
	size                         int64
	unsized                      bool // the size of an input is unknown
}

// Open finds the inputs conf names, tells their format and puts them in order. It
// reads the beginning of each, so it waits for the header of a pipe, and for its first
// packet if there are other inputs. Inputs that cannot be read are told by Errs; only
// if none can be read is there an error, which then holds all of them, each a *FileError.
func Open(conf Config) (*Reader, error) {
	if err := conf.Validate(); err != nil {
		return nil, err
	}
	r := &Reader{conf: conf.withDefaults()}
	x := expand(&r.conf)
	r.errs = x.errs
	r.admit(x.inputs)
	for _, d := range x.folders {
		if d.captures == 0 {
			r.report(&FileError{Path: d.path, Problem: NotCapture, Reason: "a directory without captures: " + whatIsRead})
		}
	}
	if len(r.waiting) == 0 {
		var errs []error
		for _, e := range r.errs {
			errs = append(errs, e)
		}
		return nil, fmt.Errorf("no capture to read: %w", errors.Join(errs...))
	}
	inOrder(r.waiting)
	for _, in := range r.waiting {
		r.seen = append(r.seen, in.seen)
	}
	return r, nil
}

// Next implements capture.Source. It returns no error but io.EOF, and fs.ErrClosed
// after Close: when an input turns out to be damaged what is before the damage is
// delivered, reading goes on with the other inputs, and Errs tells of it.
func (r *Reader) Next(b *capture.Batch) error {
	if r.closed {
		return fmt.Errorf("reading captures: %w", fs.ErrClosed)
	}
	for r.advance(b) {
		if r.number(b); len(b.Packets) > 0 {
			return nil
		}
	}
	return io.EOF
}

// number gives the packets of b their ordinals, drops those outside the time range
// and counts.
func (r *Reader) number(b *capture.Batch) {
	var bytes, cut uint64
	kept := 0
	for i := range b.Packets {
		p := &b.Packets[i]
		r.ordinal++
		p.Ordinal = r.ordinal
		if !r.conf.wants(p.Time) {
			continue
		}
		bytes += uint64(len(p.Data))
		if int64(len(p.Data)) < int64(p.Length) {
			cut++
		}
		if kept != i {
			b.Packets[kept] = *p
		}
		kept++
	}
	r.stats.skipped.Add(uint64(len(b.Packets) - kept))
	b.Packets = b.Packets[:kept]
	r.stats.packets.Add(uint64(kept))
	r.stats.bytes.Add(bytes)
	r.stats.cut.Add(cut)
}

// Stats implements capture.Source. Read and Size count bytes as stored; Size is 0 if
// there is a pipe among the inputs. Read stays below Size when an input is damaged.
func (r *Reader) Stats() capture.Stats {
	s := capture.Stats{
		Packets: r.stats.packets.Load(),
		Bytes:   r.stats.bytes.Load(),
		Skipped: r.stats.skipped.Load(),
		Cut:     r.stats.cut.Load(),
		Read:    r.stats.read.Load(),
	}
	if !r.stats.unsized {
		s.Size = r.stats.size
	}
	return s
}

// Files returns what is known of every input that is or was read, in order. Those
// that could not be are found in Errs alone.
func (r *Reader) Files() []FileInfo {
	infos := make([]FileInfo, len(r.seen))
	for i, s := range r.seen {
		infos[i] = s.get()
	}
	return infos
}

// Errs returns what is wrong with the inputs as far as is known, in the order found.
func (r *Reader) Errs() []*FileError {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.errs)
}

func (r *Reader) report(e *FileError) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, e)
}

// Close implements capture.Source. It does not close Config.Stdin.
func (r *Reader) Close() error {
	r.closed = true
	for _, f := range r.active {
		f.close()
	}
	for _, in := range r.waiting {
		if in.file != nil {
			in.file.close()
		}
	}
	r.active, r.waiting, r.free = nil, nil, nil
	return nil
}
