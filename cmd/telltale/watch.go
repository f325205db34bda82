package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.uber.org/zap"

	"telltale/alert"
	"telltale/capture/afpacket"
)

// lookEvery is how often interfaces, workers and counters are looked at.
const lookEvery = time.Second

// hangs is for how long a worker may stand still before it is taken for dead.
const hangs = 30 * time.Second

// watch begins what goes on beside judging, until ctx is done. The returned function
// waits for its end.
func (d *daemon) watch(ctx context.Context) (ended func(), err error) {
	closeServer, err := d.serveMetrics()
	if err != nil {
		return nil, err
	}
	hup, again := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	signal.Notify(again, syscall.SIGHUP)
	go d.news.watch(ctx, 0, again)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer signal.Stop(hup)
		defer signal.Stop(again)
		d.look(ctx, hup)
		d.in.stop(d.log)
		closeServer()
	}()
	go d.last(ctx, done)
	return func() { <-done }, nil
}

// last ends the process if it does not end in time by itself.
func (d *daemon) last(ctx context.Context, done <-chan struct{}) {
	<-ctx.Done()
	<-done
	timer := time.NewTimer(shutdown)
	defer timer.Stop()
	select {
	case <-d.finished:
		return
	case <-timer.C:
	}
	d.log.Error(fmt.Sprintf("the end took longer than %s: what was not written is lost", shutdown))
	d.exit(exitFailed)
}

// look does what is to be done now and then, until ctx is done.
func (d *daemon) look(ctx context.Context, hup <-chan os.Signal) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	links := map[string]afpacket.Link{}
	alive := pulse{}
	beat, fed := watchdog(), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			notify("RELOADING=1")
			d.later(d.reopen)
		case err := <-d.in.problems:
			d.later(func() { d.tell(alert.HealthInput, printable(err.Error()), false) })
		case now := <-tick.C:
			for _, i := range d.in.interfaces {
				d.link(links, i)
			}
			d.hung(alive, now)
			if err := d.in.kernel.tick(); err != nil {
				d.log.Warn(err.Error())
			}
			due := beat > 0 && now.Sub(fed) >= beat
			if due {
				fed = now
			}
			d.later(func() {
				d.health.look(now)
				if due {
					notify("WATCHDOG=1") // judging goes on, not only looking
				}
			})
		}
	}
}

// troubles tells what is wrong with streams that nobody has told of yet.
func (d *daemon) troubles() {
	for {
		select {
		case err := <-d.in.problems:
			d.tell(alert.HealthInput, printable(err.Error()), false)
		default:
			return
		}
	}
}

// pulse is when each worker was last seen to move.
type pulse map[int]struct {
	turns uint64
	at    time.Time
}

// hung ends the process if a worker stands still: half a capture is worse than a
// restart.
func (d *daemon) hung(p pulse, now time.Time) {
	for n, w := range d.live.Workers() {
		last, known := p[n]
		if !known || last.turns != w.Turns || w.Ended {
			last.turns, last.at = w.Turns, now
			p[n] = last
		}
		if now.Sub(last.at) > hangs {
			d.log.Error(fmt.Sprintf("the worker of %s does nothing for %s: the process ends, to be started again", printable(d.in.list[n].name), hangs))
			d.exit(exitFailed)
		}
	}
}

// link looks at an interface and tells what has changed.
func (d *daemon) link(links map[string]afpacket.Link, i *afpacket.Interface) {
	now, err := i.Check()
	name := printable(i.Name())
	if err != nil {
		d.log.Warn(printable(granted(err).Error()))
	}
	was, known := links[i.Name()]
	links[i.Name()] = now
	if !known {
		if !now.Up {
			d.tellLink(alert.HealthInterface, fmt.Sprintf("%s is down: nothing comes until it is up (ip link set %s up)", name, name), false)
		}
		return
	}
	switch {
	case !now.Present && was.Present:
		d.tellLink(alert.HealthInterface, name+" is gone: capture from it goes on when there is an interface of that name again", false)
	case now.Opened:
		d.tellLink(alert.HealthInterface, fmt.Sprintf("%s is back as interface number %d: capture from it goes on", name, now.Index), now.Up)
	case !now.Up && was.Up && now.Present:
		d.tellLink(alert.HealthInterface, name+" went down: nothing comes until it is up", false)
	case now.Up && !was.Up:
		d.tellLink(alert.HealthInterface, name+" is up: capture from it goes on", true)
	}
}

// tellLink tells the operator and the receivers of alerts.
func (d *daemon) tellLink(kind alert.Kind, text string, good bool) {
	d.later(func() { d.tell(kind, text, good) })
}

// tell logs and alerts, from the goroutine that judges.
func (d *daemon) tell(kind alert.Kind, text string, good bool) {
	if good {
		d.log.Info(text)
		d.emit(d.maker.Recovered(kind, d.time(), text))
		return
	}
	d.log.Warn(text)
	d.emit(d.maker.Health(kind, d.time(), text))
}

// use puts knowledge that was made anew in place of what is in use.
func (d *daemon) use(k *knowledge) {
	defer notify("READY=1")
	c, err := d.exchange(k)
	if err == nil {
		err = d.engine.Reload(k.detect)
	}
	if err != nil {
		c.drop()
		d.refuse(err)
		return
	}
	d.know = k
	d.maker.Packs, d.maker.Sensor = k.detect.Set.Generation(), k.sensor
	text := "configuration and vendor packs were loaded anew: " + k.packs[0]
	c.observations()
	if c.sinks.empty() {
		d.tell(alert.HealthConfig, text, true)
		return
	}
	text += "; " + c.sinks.String()
	c.sinks.make(func(err error) {
		d.later(func() { d.changed(text, err) })
	})
}

// changed says that sinks were exchanged, or that this did not work.
func (d *daemon) changed(text string, err error) {
	if err != nil {
		d.tell(alert.HealthConfig, "sinks were not exchanged: "+printable(err.Error()), false)
		return
	}
	d.tell(alert.HealthConfig, text, true)
}

// refuse says why what is in use stays in use.
func (d *daemon) refuse(err error) {
	notify("READY=1")
	d.tell(alert.HealthFeed, "the new configuration, packs or lists are refused, the old ones stay: "+printable(err.Error()), false)
}

func (d *daemon) reopen() {
	if d.memory != nil {
		d.memory.dispatch.Reopen()
	}
	for _, l := range []*lines{d.lines, d.seen} {
		if l == nil {
			continue
		}
		if err := l.reopen(); err != nil {
			d.log.Error("opening an output file anew", zap.Error(err))
		}
	}
}
