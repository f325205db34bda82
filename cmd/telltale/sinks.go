package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"telltale/alert"
	"telltale/alert/sink"
)

// sinksCmd is about the receivers of alerts.
type sinksCmd struct {
	Test sinksTestCmd `cmd:"" help:"Send one marked alert through each configured sink and say what worked."`
	List sinksListCmd `cmd:"" help:"List the types of sinks there are."`
}

type sinksListCmd struct{}

// Run lists the types.
func (sinksListCmd) Run(e *env) error {
	b := &strings.Builder{}
	for _, t := range sink.Types() {
		promise := "best effort: not acknowledged"
		if t.Acked {
			promise = "acknowledged: none is lost"
		}
		fmt.Fprintf(b, "%-10s %s (%s)\n", t.Name, t.About, promise)
	}
	return e.print(b)
}

type sinksTestCmd struct {
	judgeFlags
	Sink    []string      `help:"Only these." placeholder:"NAME"`
	Timeout time.Duration `default:"20s" help:"How long a sink may take."`
}

// Run tries every sink. It fails if any does.
func (c *sinksTestCmd) Run(e *env) error {
	k, err := c.load()
	if err != nil {
		return err
	}
	targets, err := sink.Targets(k.sinks)
	if err != nil {
		return usage(err)
	}
	if len(targets) == 0 {
		return usage(errors.New("no sinks are configured: list some under sinks in the file given with --config"))
	}
	m := k.maker()
	a := m.Health(alert.HealthTest, time.Now().UnixNano(), "a test of the way to this receiver by 'telltale sinks test'; it is no finding")
	b := &strings.Builder{}
	failed := false
	for i := range targets {
		t := &targets[i]
		if c.wants(t.Name) {
			failed = !c.try(e, t, a, b) || failed
		}
		_ = t.Sink.Close()
	}
	if err := e.print(b); err != nil {
		return err
	}
	if failed {
		return &statusError{status: exitFailed}
	}
	return nil
}

func (c *sinksTestCmd) wants(name string) bool {
	for _, s := range c.Sink {
		if s == name {
			return true
		}
	}
	return len(c.Sink) == 0
}

// try sends a to one sink and writes down each step.
func (c *sinksTestCmd) try(e *env, t *alert.Target, a *alert.Alert, b *strings.Builder) bool {
	fmt.Fprintf(b, "%s\n", t.Name)
	began := time.Now()
	step := func(s alert.Step) {
		if s.Err != nil {
			fmt.Fprintf(b, "  FAILED %s %s: %s\n", s.Name, printable(s.Detail), printable(s.Err.Error()))
			return
		}
		fmt.Fprintf(b, "  ok     %s %s\n", s.Name, printable(s.Detail))
	}
	ctx, done := context.WithTimeout(alert.WithTrace(e.ctx, step), c.Timeout)
	defer done()
	batch := []alert.Record{{Alert: a, Sensor: a.Sensor, Body: t.Encode(nil, a)}}
	out := t.Sink.Send(ctx, batch)
	if out.Rewind { // a new connection, as it says: now it sends
		out = t.Sink.Send(ctx, batch)
	}
	switch {
	case len(out.Refused) > 0:
		fmt.Fprintf(b, "  FAILED the receiver refused it for good: %s\n", printable(out.Refused[0].Reason))
		return false
	case out.Done == 1:
		fmt.Fprintf(b, "  ok     delivered in %s: look for the alert %s\n", time.Since(began).Round(time.Millisecond), a.ID)
		return true
	}
	if out.Err == nil {
		out.Err = errors.New("the sink took nothing and gave no reason")
	}
	fmt.Fprintf(b, "  FAILED %s\n", printable(out.Err.Error()))
	return false
}
