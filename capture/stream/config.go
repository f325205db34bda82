package stream

import (
	"io"
	"time"

	"telltale/capture"
)

// Config says how streams are read. Open must be set for captures, Clock for mirrored
// traffic.
type Config struct {
	// Open returns the packets of a capture that is read as it comes.
	Open func(r io.Reader) (capture.Source, error)
	// Clock returns the time, nanoseconds since 1970-01-01 UTC: that of packets which
	// come without one.
	Clock func() int64
	// Told, if set, is called when a stream begins badly or ends otherwise than it
	// should, from any goroutine. What follows goes on being read.
	Told func(err error)
	// Wait is after what time Next returns although nothing came. Default 100 ms.
	Wait time.Duration
}

func (c Config) withDefaults() Config {
	if c.Wait == 0 {
		c.Wait = 100 * time.Millisecond
	}
	if c.Told == nil {
		c.Told = func(error) {}
	}
	return c
}
