package main

import (
	"bufio"
	"errors"
	"fmt"

	"telltale/alert"
	"telltale/alert/format"
	"telltale/capture"
	"telltale/capture/flow"
	"telltale/detect"
	"telltale/feeds"
	"telltale/inventory/report"
)

type replayCmd struct {
	inputFlags
	filterFlags
	judgeFlags
	Output  string `short:"o" default:"-" help:"Write alerts to FILE instead of standard output." placeholder:"FILE"`
	Format  string `default:"native" help:"Form of the alerts: native, eve, eve7, ecs, ecs8, ocsf, cef or leef." placeholder:"FORM"`
	Summary bool   `default:"true" negatable:"" help:"Print the summary on standard error."`
	Facts   int    `default:"4" help:"Facts printed with each finding in the summary; -1 is all."`
	FailOn  string `help:"Exit with status 3 if a finding reaches this class: resolved, visited, likely, device, installed." placeholder:"CLASS"`
}

// Run judges the captures.
func (c *replayCmd) Run(e *env) error {
	limit := feeds.Class(255)
	if c.FailOn != "" {
		var err error
		if limit, err = feeds.ParseClass(c.FailOn); err != nil {
			return usage(err)
		}
	}
	form, err := format.Lookup(c.Format)
	if err != nil {
		return usage(err)
	}
	k, err := c.load()
	if err != nil {
		return err
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
	w := bufio.NewWriterSize(out, 64<<10)
	r := replay{maker: alert.Maker{Sensor: k.sensor, Packs: k.detect.Set.Generation(), Program: version}, form: form, w: w}
	if r.engine, err = detect.New(k.detect, r.change); err != nil {
		return err
	}
	res, err := c.read(e, src, func(o *capture.Observation) error {
		r.engine.Observe(o)
		return r.err
	})
	r.engine.Flush()
	r.damage(src)
	err = errors.Join(err, r.err, finish(w, out))
	if c.Summary {
		err = errors.Join(err, r.summary(k, src, res, c.Facts).Text(e.stderr))
	}
	if err != nil {
		return fmt.Errorf("replaying: %w", err)
	}
	if err := e.damage(src); err != nil {
		return err
	}
	return reached(r.engine.Findings(), limit)
}

// reached is the status for --fail-on.
func reached(list []*detect.Finding, limit feeds.Class) error {
	for _, f := range list {
		if f.Topic == detect.AboutVendor && f.Allowed == nil && f.Class >= limit {
			return &statusError{status: exitReached}
		}
	}
	return nil
}

// replay writes the alerts of one run.
type replay struct {
	engine *detect.Engine
	maker  alert.Maker
	form   *format.Format
	w      *bufio.Writer
	line   []byte
	err    error
}

func (r *replay) change(c detect.Change) { r.write(r.maker.Change(c)) }

func (r *replay) write(a *alert.Alert) {
	r.line = append(r.form.Append(r.line[:0], a), '\n')
	if _, err := r.w.Write(r.line); err != nil && r.err == nil {
		r.err = fmt.Errorf("writing an alert: %w", err)
	}
}

// damage tells the receiver of alerts which inputs were not read to their end.
func (r *replay) damage(src *captures) {
	for _, err := range src.Errs() {
		r.write(r.maker.Health(alert.HealthInput, r.engine.Coverage().Last, printable(err.Error())))
	}
}

func (r *replay) summary(k *knowledge, src *captures, res flow.Result, facts int) *report.Summary {
	st := src.Stats()
	in := report.Input{
		Packets: st.Packets, Bytes: st.Bytes, Skipped: st.Skipped, Cut: st.Cut,
		Dropped: dropped(res), Limits: limits(res, r.engine.Coverage()),
		Filtered: st.Filtered, Filter: printable(src.filter.String()),
		Packs: k.packs, Policies: k.policies, Geo: k.geo, Warnings: append(k.warnings, doubts(src)...),
	}
	for _, err := range src.Errs() {
		in.Damaged = append(in.Damaged, printable(err.Error()))
	}
	return &report.Summary{
		Findings: r.engine.Findings(), Coverage: r.engine.Coverage(),
		Vendor: k.detect.Set.Vendor, Input: in, MaxFacts: facts,
	}
}
