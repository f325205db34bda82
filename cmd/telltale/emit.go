package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"telltale/alert"
	"telltale/alert/format"
)

// alerts is where alerts go. It is used by one goroutine.
type alerts interface {
	// Emit takes an alert; what it could not take is an error.
	Emit(a *alert.Alert) error
	// Flush puts what was taken where it belongs.
	Flush() error
	Close() error
}

// lines writes alerts as JSON lines to a file or standard output.
type lines struct {
	mu     sync.Mutex // a state's writer writes, the judge opens anew
	name   string     // of the file, empty for standard output
	out    io.WriteCloser
	w      *bufio.Writer
	buffer []byte
}

// openLines opens the file, to which it appends; '-' is stdout.
func openLines(name string, stdout io.Writer) (*lines, error) {
	l := &lines{name: name}
	if name == "-" || name == "" {
		l.name, l.out = "", keepOpen{stdout}
	} else if err := l.open(); err != nil {
		return nil, err
	}
	l.w = bufio.NewWriterSize(l.out, 64<<10)
	return l, nil
}

func (l *lines) open() error {
	f, err := os.OpenFile(l.name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return fmt.Errorf("opening the output file: %w", err)
	}
	l.out = f
	return nil
}

// reopen opens the file by its name anew, as after it was moved away to be kept.
func (l *lines) reopen() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.name == "" {
		return nil
	}
	old := l.out
	err := l.w.Flush()
	if oerr := l.open(); oerr != nil {
		return errors.Join(err, oerr) // the old one goes on
	}
	l.w.Reset(l.out)
	return errors.Join(err, old.Close())
}

// Emit implements alerts.
func (l *lines) Emit(a *alert.Alert) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buffer = append(format.Native(l.buffer[:0], a), '\n')
	return l.write(l.buffer)
}

func (l *lines) write(line []byte) error {
	if _, err := l.w.Write(line); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// Flush implements alerts.
func (l *lines) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.w.Flush(); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// Close implements alerts.
func (l *lines) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return finish(l.w, l.out)
}
