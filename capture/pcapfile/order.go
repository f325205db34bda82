package pcapfile

import (
	"cmp"
	"slices"
	"sync/atomic"

	"telltale/capture"
)

const (
	// peekSize is what is read of a file to learn where it belongs, in bytes.
	peekSize = 64 << 10
	// disorder is the time by which packets of one capture may be out of order, in
	// nanoseconds: captures on several cores reorder within tens of milliseconds.
	disorder = 100_000_000
	// noTime is the time of a file without packets; it goes before all others.
	noTime = -1
)

// peek reads the first packets of f into b and notes when they begin and end.
func (in *input) peek(f *file, b *capture.Batch) {
	f.chunk = peekSize
	if f.fill(b) {
		in.first, in.latest = b.Packets[0].Time, f.latest
	}
}

// inOrder sorts inputs by the time of their first packets; those that begin within
// disorder of each other stay as given unless the first packets of one are all
// earlier than the other.
func inOrder(inputs []*input) {
	slices.SortStableFunc(inputs, func(a, b *input) int { return cmp.Compare(a.first, b.first) })
	for i := range inputs {
		for j := i; j > 0; j-- {
			a, b := inputs[j-1], inputs[j]
			if a.given < b.given || b.first-a.first > disorder || a.latest < b.first {
				break
			}
			inputs[j-1], inputs[j] = b, a
		}
	}
}

// admit opens every input once, drops those that are no captures and notes when the
// others begin. A single input and pipes stay open.
func (r *Reader) admit(inputs []*input) {
	var b capture.Batch
	var peeked atomic.Int64
	for i, in := range inputs {
		in.given, in.first, in.latest = i, noTime, noTime
		count := &peeked
		if in.size < 0 || len(inputs) == 1 {
			count = &r.stats.read
		}
		in.seen = &progress{info: FileInfo{Path: in.path, Size: in.size}}
		f, ferr := openFile(in, r.conf.MaxPacket, count)
		if ferr != nil {
			r.refused(in, ferr)
			continue
		}
		switch {
		case len(inputs) == 1:
			in.file = f
		case in.stdin != nil || in.size < 0:
			r.hold(in, f)
		default:
			in.peek(f, &b)
			f.close()
			in.seen.restart()
		}
		r.accept(in)
	}
}

// hold keeps a pipe open together with its first packets.
func (r *Reader) hold(in *input, f *file) {
	in.file = f
	if r.lookAhead(f, 1); len(f.ahead) > 0 {
		in.first, in.latest = f.ahead[0].Packets[0].Time, f.latest
	}
}

func (r *Reader) accept(in *input) {
	if in.folder != nil {
		in.folder.captures++
	}
	r.waiting = append(r.waiting, in)
	r.stats.size += max(in.size, 0)
	r.stats.unsized = r.stats.unsized || in.size < 0
}

// refused notes why an input is not read. What merely lies in a directory and is no
// capture is not worth a word.
func (r *Reader) refused(in *input, e *FileError) {
	if in.folder != nil && e.Problem == NotCapture && !e.foreign {
		return
	}
	if in.folder != nil {
		in.folder.captures++
	}
	r.report(e)
}
