package pcapfile

import (
	"fmt"
	"strconv"
	"strings"
)

// Problem is the kind of a FileError.
type Problem uint8

// Problems.
const (
	Unreadable Problem = iota + 1 // it could not be opened or read
	NotCapture                    // it is in no format this package reads
	Damaged                       // something in the middle makes no sense; the rest was left
	Truncated                     // it ends in the middle of a packet or of compressed data
)

// String returns one lower-case word.
func (p Problem) String() string {
	switch p {
	case Unreadable:
		return "unreadable"
	case NotCapture:
		return "not-a-capture"
	case Damaged:
		return "damaged"
	case Truncated:
		return "truncated"
	}
	return "problem-" + strconv.Itoa(int(p))
}

// FileError says what is wrong with one input. All that could be decoded before it
// has been delivered.
type FileError struct {
	Path    string
	Problem Problem
	Packets uint64 // packets read before
	Offset  int64  // where it was met: byte of the capture, decompressed if it was compressed
	Reason  string // what is wrong and what to do
	Err     error  // the cause, nil if the content itself is wrong

	foreign bool // a known format that is not read, worth a word even in a directory
}

// Error returns the path, the reason and the place.
func (e *FileError) Error() string {
	s := printable(e.Path) + ": " + e.Reason
	if e.Packets > 0 || e.Offset > 0 {
		s += fmt.Sprintf(" (after %d packets, at byte %d)", e.Packets, e.Offset)
	}
	return s
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// Warning reports whether the file is sound but for its end, as a capture is that was
// being written or whose disk was full.
func (e *FileError) Warning() bool { return e.Problem == Truncated }

// printable returns s as it is if it can safely be shown in a line, else quoted.
func printable(s string) string {
	odd := func(r rune) bool { return !strconv.IsPrint(r) }
	if strings.ContainsFunc(s, odd) {
		return strconv.Quote(s)
	}
	return s
}
