package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"telltale/alert"
	"telltale/capture"
	"telltale/capture/flow"
	"telltale/detect"
)

type runCmd struct {
	liveFlags
	filterFlags
	judgeFlags
	Read         []string      `short:"r" help:"Read a capture as it comes from a named pipe; '-' is standard input." placeholder:"FILE"`
	Output       string        `short:"o" default:"-" help:"Append alerts to FILE instead of standard output; opened anew at SIGHUP." placeholder:"FILE"`
	Observations string        `help:"Append every observation to FILE as a JSON line." placeholder:"FILE"`
	State        string        `help:"Remember findings in a directory, and deliver alerts to the configured sinks; another instance on it is refused." placeholder:"DIR"`
	Workers      int           `short:"j" default:"0" help:"Workers, each with a ring of every interface; 0 is one a processor."`
	MaxFlows     int           `default:"1048576" help:"Flows remembered at once."`
	StatsEvery   time.Duration `default:"1m" help:"How often statistics are logged and health is judged."`
	SilentAfter  time.Duration `default:"5m" help:"Say so when an interface is silent for this long; 0 never."`
	Metrics      string        `help:"Serve /metrics (Prometheus) and /healthz on this address." placeholder:"ADDR"`
	Summary      bool          `default:"true" negatable:"" help:"Print the summary on standard error at the end."`
	Facts        int           `default:"4" help:"Facts printed with each finding in the summary; -1 is all."`
}

// Run judges what is heard until it is told to stop.
func (c *runCmd) Run(e *env) error {
	if !c.any() && len(c.Read) == 0 {
		return usage(errors.New("nothing to listen to: name an interface with -i, or see --listen, --read, --watch-dir and --pcap-over-ip"))
	}
	if c.StatsEvery < time.Second {
		return usage(errors.New("--stats-every must be at least 1s"))
	}
	k, err := c.load()
	if err != nil {
		return err
	}
	in, err := c.listen(workers(c.Workers), c.filterFlags)
	if err != nil {
		return err
	}
	for _, name := range c.Read {
		in.readPipe(name, e.stdin)
	}
	d, err := newDaemon(e, c, k, in)
	if err != nil {
		return errors.Join(err, in.close())
	}
	err = d.run(e.ctx)
	return errors.Join(err, in.close())
}

// daemon is a run of runCmd. What judges and writes is used by one goroutine, that of
// run; others hand it work through todo.
type daemon struct {
	*env
	conf     *runCmd
	in       *inputs
	live     *flow.Live
	know     *knowledge
	news     *reloader
	engine   *detect.Engine
	maker    alert.Maker
	out      alerts
	lines    *lines          // out, where it is opened anew
	memory   *memory         // nil without a state
	seen     *lines          // observations, nil if they are not wanted
	observed *observationLog // observations to sinks, nil if there are none
	line     []byte
	now      int64 // packet time, as far as is known
	todo     chan func()

	finished chan struct{} // closed at the end of run
	health   health
	failed   error
}

func newDaemon(e *env, c *runCmd, k *knowledge, in *inputs) (*daemon, error) {
	d := &daemon{env: e, conf: c, in: in, know: k, todo: make(chan func(), 64), finished: make(chan struct{})}
	d.maker = k.maker()
	var err error
	if d.engine, err = detect.New(k.detect, d.change); err != nil {
		return nil, err
	}
	logged := c.Observations != "" || len(k.observe) > 0
	if d.live, err = flow.NewLive(in.config(flow.Config{MaxFlows: c.MaxFlows, Details: logged}, d.tick)); err != nil {
		return nil, usage(err)
	}
	if d.lines, err = openLines(c.Output, e.stdout); err != nil {
		return nil, err
	}
	if err := d.remember(); err != nil {
		return nil, errors.Join(err, d.lines.Close())
	}
	if c.Observations != "" {
		if d.seen, err = openLines(c.Observations, e.stdout); err != nil {
			return nil, errors.Join(err, d.out.Close())
		}
	}
	if d.observed, err = openObservations(context.WithoutCancel(e.ctx), k.observe, k.sensor, false); err != nil {
		return nil, errors.Join(err, d.out.Close())
	}
	d.health = newHealth(d)
	d.news = newReloader(&c.judgeFlags, k, e.log)
	d.news.refused = func(err error) { d.later(func() { d.refuse(err) }) }
	return d, nil
}

// remember has alerts go through a state directory, if there is one, and the engine go on
// with what that remembers.
func (d *daemon) remember() error {
	d.out = d.lines
	if d.conf.State == "" {
		if len(d.know.sinks) > 0 {
			d.log.Warn("the configured sinks are not used: give a directory with --state for alerts on their way")
		}
		return nil
	}
	l := &lasting{lines: d.lines, maker: &d.maker, time: d.time, keptAt: time.Now(), packets: func() (uint64, uint64) {
		lost := d.health.losses()
		return lost.received, lost.ring + lost.adapter
	}}
	m, err := openMemory(d.env, d.know, d.conf.State, false, l.committed)
	if err != nil {
		return err
	}
	if err := m.restore(d.engine); err != nil {
		return errors.Join(err, m.close())
	}
	l.memory, d.memory, d.out = m, m, l
	return nil
}

// later has f done by the goroutine that judges. It is lost if that is far behind:
// nobody waits for it.
func (d *daemon) later(f func()) {
	select {
	case d.todo <- f:
	default:
	}
}

// logLast is how long sinks of the observation log may take at the end.
const logLast = 2 * time.Second

// shutdown is how long the end may take once it was asked for.
const shutdown = 10 * time.Second

func (d *daemon) run(ctx context.Context) error {
	defer close(d.finished)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended, err := d.watch(ctx)
	if err != nil {
		return err
	}
	d.in.kernel.log(d.log)
	d.in.logDealing(d.log)
	d.log.Info("listening to " + d.in.names())
	notify("READY=1")
	err = d.live.Run(ctx, d.visit)
	stop()
	ended()
	notify("STOPPING=1")
	d.work()
	d.troubles()
	d.engine.Flush()
	d.health.end()
	err = errors.Join(err, d.failed, d.out.Close())
	if d.seen != nil {
		err = errors.Join(err, d.seen.Close())
	}
	if late := d.observed.close(logLast); late != nil {
		d.log.Warn(printable(late.Error()))
	}
	if d.conf.Summary {
		err = errors.Join(err, d.summary().Text(d.stderr))
	}
	if err != nil {
		return fmt.Errorf("running: %w", err)
	}
	return nil
}

// visit takes an observation. Its error ends the run: what cannot be written is lost.
func (d *daemon) visit(o *capture.Observation) error {
	d.now = max(d.now, o.Time)
	d.engine.Observe(o)
	d.observed.put(o)
	if d.seen != nil {
		d.line = append(o.AppendJSON(d.line[:0]), '\n')
		if err := d.seen.write(d.line); err != nil && d.failed == nil {
			d.failed = err
		}
	}
	return d.failed
}

// tick is called now and then with packet time.
func (d *daemon) tick(now int64) {
	d.now = max(d.now, now)
	if k := d.news.take(); k != nil {
		d.use(k)
	}
	d.engine.Advance(now)
	d.work()
	d.observed.flush()
	err := d.out.Flush()
	if d.seen != nil {
		err = errors.Join(err, d.seen.Flush())
	}
	if err != nil && d.failed == nil {
		d.failed = err
	}
}

// work does what others asked for.
func (d *daemon) work() {
	for {
		select {
		case f := <-d.todo:
			f()
		default:
			return
		}
	}
}

// time is packet time, or before the first packet that of the clock.
func (d *daemon) time() int64 {
	if d.now == 0 {
		return time.Now().UnixNano()
	}
	return d.now
}

func (d *daemon) change(c detect.Change) { d.emit(d.maker.Change(c)) }

func (d *daemon) emit(a *alert.Alert) {
	if err := d.out.Emit(a); err != nil && d.failed == nil {
		d.failed = err
	}
}
