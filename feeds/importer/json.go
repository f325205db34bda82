package importer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// walker goes through a JSON document and hands out the elements of the arrays that
// have one of the wanted names, without holding the document.
type walker struct {
	dec   *json.Decoder
	lines *lineFinder
	want  func(key string) bool
	visit func(line int, element json.RawMessage)
	stop  func() bool
	depth int
}

var errStopped = errors.New("stopped")

// walkJSON visits the elements of every array whose key is wanted.
func walkJSON(in *input, out *sink, want func(key string) bool, visit func(line int, element json.RawMessage)) error {
	lines := &lineFinder{r: in.r}
	w := &walker{dec: json.NewDecoder(lines), lines: lines, want: want, visit: visit, stop: out.full}
	for {
		err := w.value("")
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, errStopped):
			return nil
		case errors.Is(err, errTooLarge):
			return err
		case err != nil:
			return fmt.Errorf("line %d: %w: the document is cut or malformed", w.line(), err)
		}
	}
}

// line returns the line the decoder has come to.
func (w *walker) line() int { return w.lines.at(w.dec.InputOffset()) }

// value goes through one value. key is the name it has in the object around it.
func (w *walker) value(key string) error {
	t, err := w.dec.Token()
	if err != nil {
		return err
	}
	d, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	if w.depth++; w.depth > maxDepth {
		return fmt.Errorf("nested deeper than %d", maxDepth)
	}
	if d == '{' {
		err = w.object()
	} else {
		err = w.array(key)
	}
	if err == nil {
		_, err = w.dec.Token() // the closing bracket
	}
	w.depth--
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (w *walker) object() error {
	for w.dec.More() {
		t, err := w.dec.Token()
		if err != nil {
			return err
		}
		key, _ := t.(string)
		if err := w.value(key); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) array(key string) error {
	for w.dec.More() {
		if w.stop() {
			return errStopped
		}
		if !w.want(key) {
			if err := w.value(""); err != nil {
				return err
			}
			continue
		}
		var raw json.RawMessage
		if err := w.dec.Decode(&raw); err != nil {
			return err
		}
		w.visit(w.line(), raw)
	}
	return nil
}

// lineFinder counts lines by the offsets of their ends, which it forgets once passed.
type lineFinder struct {
	r    io.Reader
	read int64
	ends []int64
	line int
}

func (l *lineFinder) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	for i, c := range b[:n] {
		if c == '\n' {
			l.ends = append(l.ends, l.read+int64(i))
		}
	}
	l.read += int64(n)
	return n, err
}

// at returns the line of an offset; offsets must not fall.
func (l *lineFinder) at(offset int64) int {
	passed := 0
	for passed < len(l.ends) && l.ends[passed] < offset {
		passed++
	}
	l.line += passed
	l.ends = l.ends[passed:]
	return l.line + 1
}
