package pcapfile

import (
	"errors"
	"fmt"
	"io"

	"telltale/capture"
)

// DefaultMaxPacket is the longest packet accepted unless Config says otherwise, in
// bytes. It is what tcpdump captures by default.
const DefaultMaxPacket = 256 << 10

const (
	minMaxPacket   = 2 << 10
	maxMaxPacket   = 64 << 20
	defaultMaxOpen = 64
	maxMaxOpen     = 1024
)

// standardInput is the path that stands for Config.Stdin.
const standardInput = "-"

// Config says what is read. Apart from Paths the zero value of a field means its default.
type Config struct {
	// Paths are files, patterns (path/filepath.Match) and directories, in any order;
	// "-" is Stdin. A directory stands for the regular files in it that are captures by
	// content. A file named twice is read once. It must not be empty.
	Paths []string
	// Recursive makes directories stand for the captures in their subdirectories too.
	Recursive bool
	// Stdin is read for the path "-". It must not be nil if that is among Paths, and is
	// not closed. Packets are delivered as they arrive.
	Stdin io.Reader
	// Start and End limit the packets delivered to Start <= time < End, in nanoseconds
	// since 1970-01-01 UTC. Packets outside are counted as skipped and keep their
	// ordinal. 0 is no limit.
	Start, End int64
	// MaxPacket is the longest captured packet accepted, in bytes; a record that claims
	// more counts as damage. It bounds the memory of one buffer. 2 KiB to 64 MiB,
	// default DefaultMaxPacket.
	MaxPacket int
	// MaxOpen is the number of files with overlapping times that are merged at once. A
	// further one waits until another ends, so its packets come late. 1 reads files one
	// after the other. 1 to 1,024, default 64.
	MaxOpen int
}

func (c Config) withDefaults() Config {
	if c.MaxPacket == 0 {
		c.MaxPacket = DefaultMaxPacket
	}
	if c.MaxOpen == 0 {
		c.MaxOpen = defaultMaxOpen
	}
	return c
}

// Validate returns all that is wrong with c, nil if nothing is.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("capture files: "+format, args...))
		}
	}
	check(len(c.Paths) > 0, `nothing to read: name a file, a directory or "-" for standard input`)
	streams := 0
	for i, p := range c.Paths {
		check(p != "", "path %d is empty: name a file", i+1)
		if p == standardInput {
			streams++
		}
	}
	check(streams <= 1, `standard input is named %d times: name "-" once`, streams)
	check(streams == 0 || c.Stdin != nil, `"-" is named but there is no standard input`)
	check(c.Start >= 0, "start lies before 1970: give a later time")
	check(c.End >= 0, "end lies before 1970: give a later time")
	check(c.End == 0 || c.Start < c.End, "start must lie before end")
	check(c.MaxPacket >= minMaxPacket && c.MaxPacket <= maxMaxPacket,
		"max packet must be %d to %d bytes, not %d", minMaxPacket, maxMaxPacket, c.MaxPacket)
	check(c.MaxOpen >= 1 && c.MaxOpen <= maxMaxOpen, "max open must be 1 to %d files, not %d", maxMaxOpen, c.MaxOpen)
	return errors.Join(errs...)
}

// wants reports whether a packet of time t lies in the requested range.
func (c *Config) wants(t int64) bool {
	return t >= c.Start && (c.End == 0 || t < c.End)
}

var _ capture.Source = (*Reader)(nil)
