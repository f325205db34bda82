package main

import (
	"bufio"
	"errors"
	"fmt"
	"sync"
	"time"

	"telltale/alert"
	"telltale/alert/format"
	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/flow"
	"telltale/detect"
	"telltale/feeds"
	"telltale/inventory"
	"telltale/inventory/report"
)

type replayCmd struct {
	inputFlags
	filterFlags
	judgeFlags
	Output  string        `short:"o" default:"-" help:"Write alerts to FILE instead of standard output." placeholder:"FILE"`
	Format  string        `default:"native" help:"Form of the alerts: native, eve, eve7, ecs, ecs8, ocsf, cef or leef." placeholder:"FORM"`
	Summary bool          `default:"true" negatable:"" help:"Print the summary on standard error."`
	Facts   int           `default:"4" help:"Facts printed with each finding in the summary; -1 is all."`
	State   string        `help:"Remember findings and captures in a directory, and deliver alerts to the configured sinks." placeholder:"DIR"`
	Drain   time.Duration `default:"30s" help:"How long to wait at the end for sinks to take what is left (with --state)."`
	FailOn  string        `help:"Exit with status 3 if a finding reaches this class: resolved, visited, likely, device, installed." placeholder:"CLASS"`
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
	form, err := format.ByName(c.Format)
	if err != nil {
		return usage(err)
	}
	k, err := c.load()
	if err != nil {
		return err
	}
	out, err := create(c.Output, e.stdout)
	if err != nil {
		return err
	}
	r := &replay{env: e, maker: k.maker(), form: form, w: bufio.NewWriterSize(out, 64<<10)}
	if r.engine, err = detect.New(k.detect, r.change); err != nil {
		return err
	}
	if c.State != "" {
		err = r.remembered(c, k)
	} else {
		if len(k.sinks) > 0 {
			e.log.Warn("the configured sinks are not used: give a directory with --state for alerts on their way")
		}
		err = r.run(c, k)
	}
	if err = errors.Join(err, finish(r.w, out)); err != nil {
		return err
	}
	return reached(r.engine.Findings(), limit)
}

// run reads the captures, judges them and prints the summary.
func (r *replay) run(c *replayCmd, k *knowledge) error {
	src, err := c.open(r.env, c.filterFlags)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	seen, err := openObservations(r.ctx, k.observe, k.sensor, true)
	if err != nil {
		return err
	}
	res, err := c.read(r.env, src, seen != nil, func(o *capture.Observation) error {
		r.engine.Observe(o)
		seen.put(o)
		return r.failure()
	})
	if serr := seen.close(0); serr != nil {
		r.log.Warn(printable(serr.Error()))
	}
	r.engine.Flush()
	r.damage(src)
	err = errors.Join(err, r.settle(err == nil, src.Stats().Packets), r.failure(), r.flush())
	if c.Summary {
		err = errors.Join(err, r.summary(k, src, res, c.Facts).Text(r.stderr))
	}
	if err != nil {
		return fmt.Errorf("replaying: %w", err)
	}
	return r.env.damage(src)
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
	*env
	engine *detect.Engine
	maker  alert.Maker
	alert  alert.Alert // scratch
	form   format.Format

	mu   sync.Mutex // guards what follows: with a state, its writer writes
	w    *bufio.Writer
	line []byte
	err  error

	memory   *memory // nil without a state
	captures []inventory.Capture
	begun    uint64 // last sequence number before this run
}

func (r *replay) change(c detect.Change) {
	if r.memory != nil {
		r.emit(r.maker.Change(c), c.Finding)
		return
	}
	r.maker.Passing(&r.alert, c) // written before this returns
	r.write(&r.alert)
}

// emit writes an alert, or hands it to the memory, which has it written once it is
// durable.
func (r *replay) emit(a *alert.Alert, f *detect.Finding) {
	if r.memory == nil {
		r.write(a)
	} else if err := r.memory.change(a, f); err != nil {
		r.fail(err)
	}
}

func (r *replay) write(a *alert.Alert) {
	r.mu.Lock()
	r.line = append(r.form.Append(r.line[:0], a), '\n')
	_, err := r.w.Write(r.line)
	r.mu.Unlock()
	if err != nil {
		r.fail(fmt.Errorf("writing an alert: %w", err))
	}
}

// fail notes the first error, which ends the run.
func (r *replay) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

func (r *replay) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// flush puts what was written where it belongs.
func (r *replay) flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.w.Flush(); err != nil {
		return fmt.Errorf("writing an alert: %w", err)
	}
	return nil
}

// damage tells the receiver of alerts which inputs were not read to their end.
func (r *replay) damage(src *captures) {
	for _, err := range src.Errs() {
		r.emit(r.maker.Health(alert.HealthInput, r.engine.Coverage().Last, printable(err.Error())), nil)
	}
}

func (r *replay) summary(k *knowledge, src *captures, res flow.Result, facts int) *report.Summary {
	st := src.Stats()
	in := report.Input{
		Packets: st.Packets, Bytes: st.Bytes, Skipped: st.Skipped, Cut: st.Cut,
		First: res.Decode.First, Last: res.Decode.Last,
		Copies:  res.Decode.Reasons[decode.Duplicate],
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
