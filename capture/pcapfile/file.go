package pcapfile

import (
	"errors"
	"io"
	"os"
	"sync/atomic"

	"telltale/capture"
)

// chunkSize is what is read at once, in bytes: large enough to make system calls rare,
// small enough to stay in the second-level cache.
const chunkSize = 256 << 10

// parser cuts records out of a buffer.
type parser interface {
	// records appends to out the packets of the whole records at the front of buf, which
	// they point into. used is what those records take. need is what the record after
	// them takes in all as far as is known, 0 if buf ends with a record. After an error
	// nothing more can be read.
	records(buf []byte, out []capture.Packet) (all []capture.Packet, used, need int, err error)
	// format names the file format.
	format() string
}

// file is an opened capture file.
type file struct {
	seen   *progress
	src    content
	closer io.Closer
	parse  parser
	live   bool // deliver what is there instead of waiting for a full buffer
	chunk  int  // bytes to read at once

	tail    []byte // begins a record that is not complete
	need    int    // what that record takes in all
	offset  int64  // of tail in the capture
	packets uint64
	latest  int64 // latest time among the packets of the last fill
	done    bool
	fault   *FileError

	ahead []*chunk // packets read but not delivered, at most lookAhead of them
	clock int64    // earliest time among the packets ahead
}

// openFile opens an input up to its first record. The stored bytes it reads are
// counted in read.
func openFile(in *input, maxPacket int, read *atomic.Int64) (*file, *FileError) {
	f := &file{seen: in.seen, live: in.size < 0, chunk: chunkSize, closer: io.NopCloser(nil)}
	raw := &stored{r: in.stdin, read: read}
	if in.stdin == nil {
		osf, err := os.Open(in.path)
		if err != nil {
			return nil, &FileError{Path: in.path, Problem: Unreadable, Reason: readAdvice(err), Err: err}
		}
		raw.r, f.closer = osf, osf
	}
	var ferr *FileError
	if f.src, ferr = decompress(raw); ferr == nil {
		ferr = f.begin(maxPacket)
	}
	if ferr != nil {
		f.close()
		ferr.Path = in.path
		return nil, ferr
	}
	f.seen.opened(f.parse.format(), f.src.compression)
	return f, nil
}

// begin reads the file header.
func (f *file) begin(maxPacket int) *FileError {
	head, ferr := f.src.head(f.src, magicLength)
	if ferr != nil {
		return ferr
	}
	length := classicHeader
	switch sniff(head) {
	case kindClassic:
	case kindSection:
		length = sectionHead
	default:
		more, _ := f.src.head(f.src, sectionHead)
		return refuse(append(head, more...))
	}
	more, ferr := f.src.head(f.src, length-len(head))
	if ferr != nil {
		return ferr
	}
	head = append(head, more...)
	if len(head) < length {
		return &FileError{Problem: Truncated, Reason: "cut short in the file header: there is no packet in it, capture again"}
	}
	if err := f.header(head, maxPacket); err != nil {
		return &FileError{Problem: Damaged, Reason: err.Error()}
	}
	return nil
}

func (f *file) header(head []byte, maxPacket int) (err error) {
	if len(head) == classicHeader {
		f.offset = classicHeader
		f.parse, err = newClassic(head, maxPacket)
		return err
	}
	f.tail = append(make([]byte, 0, sectionHead), head...)
	f.parse, err = newSections(head, maxPacket)
	return err
}

// fill replaces the content of b by the next packets of the file, at least one unless
// it returns false at the end.
func (f *file) fill(b *capture.Batch) bool {
	b.Packets = b.Packets[:0]
	if f.done {
		return false
	}
	n := f.restore(b)
	for len(b.Packets) == 0 && !f.done {
		m, err := readUp(f.src.Reader, b.Buffer[n:], f.live)
		n = f.cut(b, n+m, err)
	}
	if len(b.Packets) == 0 {
		return false
	}
	f.packets += uint64(len(b.Packets))
	f.latest = f.seen.add(b.Packets)
	return true
}

// restore puts the beginning of a record at the front of b's buffer and returns its length.
func (f *file) restore(b *capture.Batch) int {
	size := f.chunk
	if len(f.tail) > 0 {
		size = max(size, f.need)
	}
	b.Buffer = sized(b.Buffer, size, 0)
	return copy(b.Buffer, f.tail)
}

// sized returns b with length n, keeping the first keep bytes.
func sized(b []byte, n, keep int) []byte {
	if cap(b) >= n {
		return b[:n]
	}
	grown := make([]byte, n)
	copy(grown, b[:keep])
	return grown
}

// cut takes the packets out of the first n bytes of b's buffer, to which reading has
// come with rerr, and keeps what is left: for the next fill if there were packets,
// else at the front of the buffer, whose used length it returns.
func (f *file) cut(b *capture.Batch, n int, rerr error) int {
	var used int
	var perr error
	b.Packets, used, f.need, perr = f.parse.records(b.Buffer[:n], b.Packets)
	rest := b.Buffer[used:n]
	f.offset += int64(used)
	if perr != nil {
		f.end(uint64(len(b.Packets)), &FileError{Problem: Damaged, Reason: perr.Error()})
		return 0
	}
	if rerr != nil {
		f.end(uint64(len(b.Packets)), f.stopped(rerr))
		return 0
	}
	if len(b.Packets) > 0 {
		f.tail = append(f.tail[:0], rest...)
		return 0
	}
	n = copy(b.Buffer, rest)
	if n > 0 {
		b.Buffer = sized(b.Buffer, max(f.need, len(b.Buffer)), n)
	}
	return n
}

// stopped explains why reading ended with err, nil if that is as it should be.
func (f *file) stopped(err error) *FileError {
	if !errors.Is(err, io.EOF) {
		return f.src.fault(err)
	}
	if f.need == 0 {
		return nil
	}
	return &FileError{
		Problem: Truncated,
		Reason:  "cut short in the middle of a packet: all packets before were read, nothing else to do",
	}
}

// end marks the file as read; more packets are about to be counted.
func (f *file) end(more uint64, e *FileError) {
	f.done = true
	f.tail = nil
	if e != nil {
		e.Path, e.Packets, e.Offset = f.seen.info.Path, f.packets+more, f.offset
		f.fault = e
	}
}

func (f *file) close() {
	if f.src.release != nil {
		f.src.release()
	}
	// Nothing was written, so there is nothing that closing could lose.
	_ = f.closer.Close()
}
