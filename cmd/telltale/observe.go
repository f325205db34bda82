package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"telltale/alert/format"
	"telltale/capture"
	"telltale/capture/flow"
)

type observeCmd struct {
	inputFlags
	liveFlags
	filterFlags
	Output string   `short:"o" default:"-" help:"Write to FILE instead of standard output." placeholder:"FILE"`
	Format string   `default:"native" help:"Form: native, eve, eve7 or ocsf. The last three hold what Suricata and OCSF have events for." placeholder:"FORM"`
	Proto  []string `short:"p" help:"Only these protocols: as docs/observations.md lists them (dns, tls, dhcp ...)." placeholder:"PROTO"`

	form format.Log
}

// Run prints every Observation.
func (c *observeCmd) Run(e *env) error {
	for _, p := range c.Proto {
		if !slices.Contains(capture.ProtoNames(), p) {
			return usage(fmt.Errorf("unknown protocol %q: use some of %s", p, strings.Join(capture.ProtoNames(), ", ")))
		}
	}
	form, err := format.LogByName(c.Format)
	if err != nil {
		return usage(err)
	}
	c.form = form
	if c.any() {
		return c.observeLive(e)
	}
	src, err := c.open(e, c.filterFlags)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	out, err := create(c.Output, e.stdout)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 256<<10)
	_, err = c.read(e, src, true, c.printer(w))
	if ferr := finish(w, out); err == nil {
		err = ferr
	}
	if err != nil {
		return fmt.Errorf("observing: %w", err)
	}
	return e.damage(src)
}

// printer returns what writes the wanted Observations to w.
func (c *observeCmd) printer(w *bufio.Writer) func(*capture.Observation) error {
	var line []byte
	return func(o *capture.Observation) error {
		if len(c.Proto) > 0 && !slices.Contains(c.Proto, o.Proto.String()) {
			return nil
		}
		line = c.form.Append(line[:0], o, defaultSensor)
		if len(line) == 0 {
			return nil // the form has no event for it
		}
		line = append(line, '\n')
		_, err := w.Write(line)
		return err
	}
}

// observeLive prints what is heard until it is told to stop, and then how capture went.
func (c *observeCmd) observeLive(e *env) error {
	if len(c.Captures) > 0 {
		return usage(errors.New("either captures or live sources, not both"))
	}
	in, err := c.listen(workers(c.Workers), c.filterFlags)
	if err != nil {
		return err
	}
	defer func() { _ = in.close() }()
	out, err := create(c.Output, e.stdout)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 256<<10)
	var failed error
	live, err := flow.NewLive(in.config(flow.Config{MaxFlows: c.MaxFlows, Details: true}, func(int64) { failed = w.Flush() }))
	if err != nil {
		return usage(err)
	}
	in.kernel.log(e.log)
	go in.attend(e)
	show := c.printer(w)
	e.complain("listening to %s", in.names())
	err = live.Run(e.ctx, func(o *capture.Observation) error {
		if failed != nil {
			return failed
		}
		return show(o)
	})
	if ferr := finish(w, out); err == nil {
		err = ferr
	}
	for _, l := range (&health{live: live, in: in}).capture() {
		e.complain("%s", l)
	}
	if err != nil {
		return fmt.Errorf("observing: %w", err)
	}
	return nil
}

// create opens the output file; '-' is stdout.
func create(name string, stdout io.Writer) (io.WriteCloser, error) {
	if name == "-" || name == "" {
		return keepOpen{stdout}, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("creating the output file: %w", err)
	}
	return f, nil
}

type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }

func finish(w *bufio.Writer, c io.Closer) error {
	err := w.Flush()
	if cerr := c.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}
