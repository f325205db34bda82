package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"telltale/alert"
	"telltale/alert/sink"
)

// sinksCmd is about the receivers of alerts.
type sinksCmd struct {
	Test sinksTestCmd `cmd:"" help:"Send one marked alert through each configured sink and say what worked; status 1 if one failed."`
	List sinksListCmd `cmd:"" help:"List the types of sinks there are."`
}

type sinksListCmd struct{}

// Run lists the types.
func (sinksListCmd) Run(e *env) error {
	b := &strings.Builder{}
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, t := range sink.Types() {
		promise := "best effort"
		if t.Acked {
			promise = "acknowledged"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", t.Name, promise, t.About)
	}
	_ = w.Flush() // it writes to memory
	return e.print(b)
}

type sinksTestCmd struct {
	judgeFlags
	Sink    []string      `help:"Only these, by their names in the configuration." placeholder:"NAME"`
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
	defer func() {
		for _, t := range targets {
			_ = t.Sink.Close()
		}
	}()
	if err := c.known(targets); err != nil {
		return usage(err)
	}
	m := k.maker()
	a := m.Health(alert.HealthTest, time.Now().UnixNano(), "a test of the way to this receiver by 'telltale sinks test'; it is no finding")
	failed := false
	for i := range targets {
		if len(c.Sink) > 0 && !slices.Contains(c.Sink, targets[i].Name) {
			continue
		}
		s := &sinkTest{target: &targets[i], acked: acked(k.sinks[i].Type)}
		failed = !s.run(e.ctx, c.Timeout, a) || failed
		if err := e.print(&s.page); err != nil {
			return err
		}
	}
	if failed {
		return &statusError{status: exitFailed}
	}
	return nil
}

// known says that there are sinks, and those that were named.
func (c *sinksTestCmd) known(targets []alert.Target) error {
	if len(targets) == 0 {
		return errors.New("no sinks are configured: list some under sinks in the file given with --config")
	}
	names := make([]string, len(targets))
	for i := range targets {
		names[i] = targets[i].Name
	}
	for _, s := range c.Sink {
		if !slices.Contains(names, s) {
			return fmt.Errorf("no sink is called %q: use some of %s", s, strings.Join(names, ", "))
		}
	}
	return nil
}

// acked says that receivers of a type acknowledge.
func acked(name string) bool {
	return slices.ContainsFunc(sink.Types(), func(t sink.Type) bool { return t.Name == name && t.Acked })
}

// sinkTest is a try of one sink.
type sinkTest struct {
	target *alert.Target
	acked  bool
	page   strings.Builder
	failed error // of the last step
}

// step writes down one thing that was done.
func (s *sinkTest) step(x alert.Step) {
	s.failed = x.Err
	mark, text := "ok    ", strings.TrimSpace(x.Name+" "+x.Detail)
	if x.Err != nil {
		mark, text = "FAILED", text+": "+x.Err.Error()
	}
	fmt.Fprintf(&s.page, "  %s %s\n", mark, printable(text))
}

// run sends a through the sink and says whether it got there.
func (s *sinkTest) run(ctx context.Context, limit time.Duration, a *alert.Alert) bool {
	fmt.Fprintf(&s.page, "%s\n", s.target.Name)
	began := time.Now()
	ctx, done := context.WithTimeout(alert.WithTrace(ctx, s.step), limit)
	defer done()
	batch := []alert.Record{{Alert: a, Sensor: a.Sensor, Body: s.target.Encode(nil, a)}}
	out := s.target.Sink.Send(ctx, batch)
	if out.Rewind { // a new connection, as it says: now it sends
		out = s.target.Sink.Send(ctx, batch)
	}
	took := time.Since(began).Round(time.Millisecond)
	switch {
	case len(out.Refused) > 0:
		fmt.Fprintf(&s.page, "  FAILED the receiver refused it for good: %s\n", printable(out.Refused[0].Reason))
		return false
	case out.Done == 1 && s.acked:
		fmt.Fprintf(&s.page, "  ok     delivered in %s: look for the alert %s\n", took, a.ID)
		return true
	case out.Done == 1:
		fmt.Fprintf(&s.page, "  ok     sent in %s, and nobody acknowledges it: look whether the alert %s is there\n", took, a.ID)
		return true
	case out.Err == nil:
		out.Err = errors.New("the sink took nothing and gave no reason")
	}
	if s.failed == nil || !strings.Contains(out.Err.Error(), s.failed.Error()) { // else it was said
		fmt.Fprintf(&s.page, "  FAILED %s\n", printable(out.Err.Error()))
	}
	return false
}
