package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/flow"
	"telltale/capture/pcapfile"
)

// inputFlags say which packets are read and how.
type inputFlags struct {
	Captures  []string      `arg:"" optional:"" name:"capture" help:"Capture files (pcap, pcapng; gzip and zstd are recognised), directories or globs; '-' is standard input. All are read as one stream in time order."`
	Start     string        `help:"Skip packets before this time (RFC 3339, or YYYY-MM-DD[ HH:MM[:SS]] in UTC)." placeholder:"TIME"`
	End       string        `help:"Skip packets from this time on." placeholder:"TIME"`
	Recursive bool          `short:"r" help:"Descend into directories."`
	Workers   int           `short:"j" default:"0" help:"Goroutines that follow flows; 0 is one a processor. The output is the same for any number."`
	MaxFlows  int           `default:"1048576" help:"Flows remembered at once."`
	Dedup     time.Duration `default:"20ms" help:"A packet that comes again within this time is a copy mirrored elsewhere (other VLAN, other side of a router or tunnel) and counts once; 0 counts every copy." placeholder:"TIME"`
	Progress  bool          `default:"true" negatable:"" help:"Show progress when standard error is a terminal."`
}

// times parses --start and --end.
func (f *inputFlags) times() (start, end int64, err error) {
	s, err1 := parseTime(f.Start)
	n, err2 := parseTime(f.End)
	return s, n, errors.Join(err1, err2)
}

func parseTime(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UnixNano(), nil
		}
	}
	return 0, fmt.Errorf("cannot read the time %q: write it like 2017-09-13T00:00:00Z or 2017-09-13", s)
}

// open opens the captures.
func (f *inputFlags) open(e *env, only filterFlags) (*captures, error) {
	if len(f.Captures) == 0 {
		return nil, usage(errors.New(`expected "<capture> ...": name a capture file, a directory or '-'`))
	}
	wanted, err := only.compile()
	if err != nil {
		return nil, err
	}
	start, end, err := f.times()
	err = errors.Join(err, decode.Config{Dedup: f.Dedup}.Validate())
	if err != nil {
		return nil, usage(err)
	}
	r, err := pcapfile.Open(pcapfile.Config{Paths: f.Captures, Stdin: e.stdin, Start: start, End: end, Recursive: f.Recursive})
	if err != nil {
		return nil, fmt.Errorf("opening captures: %w", err)
	}
	return &captures{Reader: r, filter: wanted}, nil
}

// read runs the captures through decoding and calls visit for every Observation.
// all asks for what only those need who keep Observations, too.
func (f *inputFlags) read(e *env, src *captures, all bool, visit func(*capture.Observation) error) (flow.Result, error) {
	stop := func() {}
	if f.Progress {
		stop = progress(e.stderr, src.Reader)
	}
	defer stop()
	conf := flow.Config{Workers: workers(f.Workers), MaxFlows: f.MaxFlows, Details: all}
	return flow.Run(e.ctx, src, conf, decode.Config{Dedup: f.Dedup}, visit)
}

// damage logs how the inputs ended; it is an error if any was not read to its end, or
// has packets of a link type that is not decoded.
func (e *env) damage(src *captures) error {
	bad := false
	for _, f := range src.Files() {
		e.log.Info(printable(f.Path)+": read", zap.String("format", f.Format), zap.Uint64("packets", f.Packets), zap.Uint64("bytes", f.Bytes))
		for _, link := range f.Links {
			if !slices.Contains(decode.Links(), link) {
				bad = true
				e.log.Warn(fmt.Sprintf("%s: %s is not decoded: capture again on another interface, or convert the file", printable(f.Path), link))
			}
		}
	}
	for _, err := range src.Errs() {
		bad = true
		e.log.Warn(printable(err.Error()))
	}
	if bad {
		return &statusError{status: exitFailed}
	}
	return nil
}

// absurd is the span of time from which on a capture's clock is doubted.
const absurd = 10 * 365 * 24 * time.Hour

// doubts returns what is odd about the times of the inputs.
func doubts(src *captures) []string {
	var all []string
	for _, f := range src.Files() {
		first, last := time.Unix(0, f.First).UTC(), time.Unix(0, f.Last).UTC()
		if f.Packets > 0 && (last.Sub(first) > absurd || first.Year() < 1990) {
			all = append(all, fmt.Sprintf("%s: its packets are dated from %s to %s: its clock was wrong, or it was joined from others; times and periods in the findings follow it",
				printable(f.Path), first.Format(time.DateOnly), last.Format(time.DateOnly)))
		}
	}
	return all
}
