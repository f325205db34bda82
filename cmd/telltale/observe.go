package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"telltale/alert/format"
	"telltale/capture"
)

type observeCmd struct {
	inputFlags
	Output string   `short:"o" default:"-" help:"Write to FILE instead of standard output." placeholder:"FILE"`
	Format string   `default:"native" help:"Form: native, eve, eve7 or ocsf. The last three hold what Suricata and OCSF have events for." placeholder:"FORM"`
	Proto  []string `short:"p" help:"Only these protocols: dns, mdns, llmnr, tls, quic, http, flow." placeholder:"PROTO"`
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
	src, err := c.open(e)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	out, err := create(c.Output, e.stdout)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 256<<10)
	var line []byte
	_, err = c.read(e, src, func(o *capture.Observation) error {
		if len(c.Proto) > 0 && !slices.Contains(c.Proto, o.Proto.String()) {
			return nil
		}
		line = form.Append(line[:0], o, defaultSensor)
		if len(line) == 0 {
			return nil
		}
		line = append(line, '\n')
		_, err := w.Write(line)
		return err
	})
	if ferr := finish(w, out); err == nil {
		err = ferr
	}
	if err != nil {
		return fmt.Errorf("observing: %w", err)
	}
	return e.damage(src)
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
