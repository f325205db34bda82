package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"telltale/alert"
	"telltale/alert/format"
	"telltale/inventory"
	"telltale/inventory/report"
)

// outboxCmd looks at alerts on their way, and helps those that are stuck.
type outboxCmd struct {
	Status outboxStatusCmd `cmd:"" help:"Show how far each sink has come."`
	Peek   outboxPeekCmd   `cmd:"" help:"Show alerts that wait, or those refused for good (--dead)."`
	Retry  outboxRetryCmd  `cmd:"" help:"Send dead letters again."`
	Drop   outboxDropCmd   `cmd:"" help:"Give up what waits for a sink, or its dead letters (--dead)."`
}

// stateFlag names the state directory.
type stateFlag struct {
	State string `required:"" help:"The state directory." placeholder:"DIR"`
}

func (f *stateFlag) open(e *env) (*inventory.Desk, error) {
	return inventory.OpenDesk(e.ctx, f.State)
}

type outboxStatusCmd struct {
	stateFlag
	JSON bool `name:"json" help:"As a JSON object."`
}

// Run prints the status.
func (c *outboxStatusCmd) Run(e *env) (err error) {
	d, err := c.open(e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	s, err := d.Status(e.ctx)
	if err != nil {
		return err
	}
	b := &strings.Builder{}
	if c.JSON {
		return e.printJSON(s)
	}
	use := "no sensor is running on it"
	if s.InUse {
		use = "in use by a sensor"
	}
	fmt.Fprintf(b, "state %s: %s\n", printable(c.State), use)
	fmt.Fprintf(b, "sequence %d of epoch %d (%s); findings: %s; alerts that wait: %s (%s), dropped: %s\n", s.LastSeq, s.Epoch,
		time.UnixMilli(int64(s.Epoch)).UTC().Format(time.RFC3339), report.Count(s.Findings), report.Count(s.Waiting), report.Size(uint64(s.Bytes)), report.Count(s.Dropped))
	if len(s.Sinks) == 0 {
		b.WriteString("no sink was ever configured with it\n")
		return e.print(b)
	}
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "SINK\tSETTLED UP TO\tWAITING\tDEAD LETTERS\tTO BE RETRIED")
	for _, k := range s.Sinks {
		if k.Forgotten {
			_, _ = fmt.Fprintf(w, "%s\t(forgotten)\t\t%d\t%d\n", k.Sink, k.Dead, k.Retry)
			continue
		}
		_, _ = fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\n", k.Sink, k.Cursor, k.Waiting, k.Dead, k.Retry)
	}
	_ = w.Flush() // like the lines above it writes to memory
	return e.print(b)
}

// printJSON writes v as one line.
func (e *env) printJSON(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	b := &strings.Builder{}
	b.Write(line)
	b.WriteByte('\n')
	return e.print(b)
}

type outboxPeekCmd struct {
	stateFlag
	Sink string `help:"Only what waits for this sink." placeholder:"NAME"`
	Dead bool   `help:"The dead letters instead: what a sink refused for good, and why."`
	N    int    `short:"n" default:"20" help:"At most so many."`
	JSON bool   `name:"json" help:"As JSON lines: whole alerts."`
}

// Run prints what waits.
func (c *outboxPeekCmd) Run(e *env) (err error) {
	d, err := c.open(e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if c.Dead {
		return c.letters(e, d)
	}
	entries, err := d.Peek(e.ctx, c.Sink, c.N)
	if err != nil {
		return err
	}
	b := &strings.Builder{}
	if len(entries) == 0 && !c.JSON {
		b.WriteString("nothing waits\n")
	}
	for _, n := range entries {
		switch {
		case n.Err != nil:
			fmt.Fprintf(b, "%d  cannot be read: %s\n", n.Seq, printable(n.Err.Error()))
		case c.JSON:
			b.Write(append(format.Native(nil, n.Alert), '\n'))
		default:
			fmt.Fprintln(b, headline(n.Alert))
		}
	}
	return e.print(b)
}

func (c *outboxPeekCmd) letters(e *env, d *inventory.Desk) error {
	list, err := d.Dead(e.ctx, c.Sink, c.N)
	if err != nil {
		return err
	}
	b := &strings.Builder{}
	if len(list) == 0 && !c.JSON {
		b.WriteString("there are no dead letters\n")
	}
	for _, l := range list {
		if c.JSON {
			line, err := letterJSON(&l)
			if err != nil {
				return err
			}
			b.Write(append(line, '\n'))
			continue
		}
		what := "cannot be read"
		if l.Alert != nil {
			what = headline(l.Alert)
		}
		how := fmt.Sprintf("refused (%d), last", l.Tries)
		if l.Retry {
			how = "to be sent again, since"
		}
		fmt.Fprintf(b, "letter %d, sink %s, %s %s: %s\n  %s\n", l.Number, l.Sink, how,
			time.Unix(l.At, 0).UTC().Format(time.RFC3339), printable(l.Reason), what)
	}
	return e.print(b)
}

func letterJSON(l *inventory.Letter) ([]byte, error) {
	v := struct {
		Letter int64           `json:"letter"`
		Sink   string          `json:"sink"`
		Seq    uint64          `json:"seq"`
		Tries  uint64          `json:"tries"`
		Retry  bool            `json:"retry"`
		At     time.Time       `json:"at"`
		Reason string          `json:"reason"`
		Alert  json.RawMessage `json:"alert,omitempty"`
	}{l.Number, l.Sink, l.Seq, l.Tries, l.Retry, time.Unix(l.At, 0).UTC(), l.Reason, nil}
	if l.Alert != nil {
		v.Alert = format.Native(nil, l.Alert)
	}
	line, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	return line, nil
}

// headline is an alert in one line for a terminal.
func headline(a *alert.Alert) string {
	s := fmt.Sprintf("%d  %s  %s  %s", a.Seq, time.Unix(0, a.Time).UTC().Format(time.RFC3339), a.Kind, a.Severity)
	if f := a.Finding; f != nil {
		s += fmt.Sprintf("  %s  %s  %s", f.Host.Addr, f.Vendor, f.Class)
	} else {
		s += "  " + a.Text
	}
	return printable(s)
}

type outboxRetryCmd struct {
	stateFlag
	Sink   string `help:"Only those of this sink." placeholder:"NAME"`
	Letter int64  `help:"Only this one ('telltale outbox peek --dead' shows the numbers)." placeholder:"N"`
}

// Run puts dead letters back.
func (c *outboxRetryCmd) Run(e *env) (err error) {
	d, err := c.open(e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	n, err := d.Retry(e.ctx, c.Sink, c.Letter)
	if err != nil {
		return err
	}
	if n == 0 {
		return e.print(said("there are no dead letters\n"))
	}
	return e.print(said("dead letters to be sent again: %d, within seconds by a sensor that runs, else by the next run\n", n))
}

type outboxDropCmd struct {
	stateFlag
	Sink   string `help:"The sink. Without --dead nothing may run on the state." placeholder:"NAME"`
	Dead   bool   `help:"Delete dead letters, of all sinks if none is named."`
	Letter int64  `help:"With --dead: only this one." placeholder:"N"`
	Forget bool   `help:"Also no longer wait for the sink: it is not in the configuration any more."`
}

// Run drops what it is told to.
func (c *outboxDropCmd) Run(e *env) (err error) {
	switch {
	case !c.Dead && c.Sink == "":
		return usage(errors.New("name what is to be dropped: --sink NAME for what waits for it, or --dead"))
	case !c.Dead && c.Letter != 0:
		return usage(errors.New("--letter is one of the dead letters: add --dead, or leave it out to drop all that waits"))
	case c.Dead && c.Forget:
		return usage(errors.New("--forget goes without --dead: run 'telltale outbox drop' once for each"))
	}
	d, err := c.open(e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if c.Dead {
		n, err := d.DropDead(e.ctx, c.Sink, c.Letter)
		if err != nil {
			return err
		}
		if n == 0 {
			return e.print(said("there are no dead letters\n"))
		}
		return e.print(said("dead letters deleted: %d; gaps tell their sinks so\n", n))
	}
	after, last, err := d.Drop(e.ctx, c.Sink, c.Forget)
	if err != nil {
		return err
	}
	what := said("nothing waited for %s\n", c.Sink)
	if after < last {
		what = said("alerts %d to %d will not be sent to %s; one gap tells it so\n", after+1, last, c.Sink)
	}
	if c.Forget {
		fmt.Fprintf(what, "%s is no longer waited for; if it returns it gets what comes from then on\n", c.Sink)
	}
	return e.print(what)
}

// said is a page of one sentence.
func said(text string, args ...any) *strings.Builder {
	b := &strings.Builder{}
	fmt.Fprintf(b, text, args...)
	return b
}
