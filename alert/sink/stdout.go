package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"telltale/alert"
)

var _ = register(Type{
	Name:         "stdout",
	About:        "one alert a line on standard output",
	Observations: true,
	New: func(e *Entry) (alert.Sink, error) {
		return &stdout{w: os.Stdout}, e.Decode(&struct{}{})
	},
})

// stdout writes lines to standard output.
type stdout struct {
	w   io.Writer
	buf []byte
}

var errBroken = errors.New("standard output took part of a line: what follows in it is not readable")

// Send implements alert.Sink.
func (s *stdout) Send(ctx context.Context, batch []alert.Record) alert.Outcome {
	s.buf = s.buf[:0]
	for i := range batch {
		s.buf = append(append(s.buf, batch[i].Body...), '\n')
	}
	n, err := s.w.Write(s.buf)
	if err != nil {
		err = fmt.Errorf("writing to standard output: %w", err)
		if n > 0 {
			err = errors.Join(err, errBroken)
		}
	}
	alert.Trace(ctx, alert.Step{Name: "write", Detail: fmt.Sprintf("%d bytes", n), Err: err})
	done := 0
	for done < len(batch) && n > len(batch[done].Body) { // lines that went out whole
		n -= len(batch[done].Body) + 1
		done++
	}
	return alert.Outcome{Done: done, Err: err}
}

// Close implements alert.Sink. Standard output stays open.
func (*stdout) Close() error { return nil }
