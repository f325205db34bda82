package main

import (
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"telltale/alert"
	"telltale/capture"
	"telltale/capture/afpacket"
	"telltale/capture/flow"
	"telltale/capture/prefilter"
	"telltale/inventory/report"
)

// health judges how capture goes. It is used by the goroutine that judges.
type health struct {
	d     *daemon
	live  *flow.Live
	in    *inputs
	base  map[string]afpacket.Counters // of the interfaces, when they were first looked at
	quiet map[string]*silence

	lost     losses // at the last look
	lossAt   time.Time
	reduced  bool // drops were told of and are not over
	toldAt   time.Time
	flows    flow.Stats // at the last statistics
	packets  uint64
	statedAt time.Time
	leaking  bool // loss before us was told of
}

// losses are what is known to be lost, and what was not.
type losses struct {
	received uint64 // packets that were read
	ring     uint64 // found the ring full
	adapter  uint64 // lost by the interface before
	queue    uint64 // observations for which there was no room
	frozen   uint64 // times a ring was full
}

func (l losses) all() uint64 { return l.ring + l.adapter + l.queue }

// silence is since when nothing came from a source.
type silence struct {
	packets uint64
	since   time.Time
	told    bool
}

func newHealth(d *daemon) health {
	now := time.Now()
	h := health{d: d, live: d.live, in: d.in, statedAt: now, base: map[string]afpacket.Counters{}, quiet: map[string]*silence{}}
	h.losses()
	return h
}

// source is the counts of one named source, all rings of an interface together.
type source struct {
	name  string
	stats capture.Stats
	lost  uint64
}

// sources sums up the workers of each interface, and lists the others.
func (h *health) sources() (all []source) {
	at := 0
	workers := h.live.Workers()
	for _, i := range h.in.interfaces {
		s := source{name: i.Name()}
		for range i.Sources() {
			s.stats.Add(workers[at].Source)
			s.lost += workers[at].Lost
			at++
		}
		all = append(all, s)
	}
	for ; at < len(workers); at++ {
		all = append(all, source{h.in.list[at].name, workers[at].Source, workers[at].Lost})
	}
	return all
}

// adapter returns what an interface lost by itself since it was first looked at.
func (h *health) adapter(i *afpacket.Interface) uint64 {
	c, ok := i.Counters()
	if !ok {
		return 0
	}
	if h.base == nil {
		return c.Missed
	}
	base, known := h.base[i.Name()]
	if !known || c.Missed < base.Missed {
		h.base[i.Name()], base = c, c // the first look, or it was made anew
	}
	return c.Missed - base.Missed
}

func (h *health) losses() losses {
	var l losses
	for _, s := range h.sources() {
		l.received += s.stats.Packets + s.stats.Skipped
		l.ring += s.stats.Dropped
		l.frozen += s.stats.Frozen
		l.queue += s.lost
	}
	for _, i := range h.in.interfaces {
		l.adapter += h.adapter(i)
	}
	return l
}

// look judges what has happened since the last look.
func (h *health) look(now time.Time) {
	l := h.losses()
	h.drops(l, now)
	h.lost = l
	if h.d.conf.SilentAfter > 0 {
		for _, s := range h.sources() {
			h.silent(s, now)
		}
	}
	if now.Sub(h.statedAt) >= h.d.conf.StatsEvery-lookEvery/2 {
		h.statistics(l, now)
	}
}

// drops says when packets are lost, at once, then with the statistics while it goes on,
// and when it is over.
func (h *health) drops(l losses, now time.Time) {
	switch {
	case l.all() > h.lost.all():
		h.lossAt = now
		if h.reduced && now.Sub(h.toldAt) < h.d.conf.StatsEvery {
			return
		}
		h.reduced, h.toldAt = true, now
		h.d.tell(alert.HealthDrops, "coverage is reduced: "+l.String(), false)
	case h.reduced && now.Sub(h.lossAt) >= h.d.conf.StatsEvery:
		h.reduced = false
		h.d.tell(alert.HealthDrops, fmt.Sprintf("nothing was lost for %s; in all: %s", h.d.conf.StatsEvery, l), true)
	}
}

// String says what was lost, in words.
func (l losses) String() string {
	total := l.received + l.ring + l.adapter
	s := fmt.Sprintf("%s of %s packets were lost", report.Count(l.ring+l.adapter), report.Count(total))
	if total > 0 {
		s += fmt.Sprintf(" (%.2f %%)", 100*float64(l.ring+l.adapter)/float64(total))
	}
	return s + fmt.Sprintf(": %s in the ring, %s in the interface; %s observations for want of time", report.Count(l.ring), report.Count(l.adapter), report.Count(l.queue))
}

func (h *health) silent(s source, now time.Time) {
	q := h.quiet[s.name]
	if q == nil {
		q = &silence{since: now}
		h.quiet[s.name] = q
	}
	n := s.stats.Packets + s.stats.Skipped + s.stats.Dropped
	switch {
	case n != q.packets:
		if q.told {
			h.d.tell(alert.HealthSilent, printable(s.name)+": packets come again", true)
		}
		*q = silence{packets: n, since: now}
	case !q.told && now.Sub(q.since) >= h.d.conf.SilentAfter:
		q.told = true
		h.d.tell(alert.HealthSilent, fmt.Sprintf("%s: no packet for %s: is the mirror port still set up?", printable(s.name), h.d.conf.SilentAfter), false)
	}
}

// Of what flows acknowledge, so much must have been acknowledged, and such a share not
// seen, for loss before us to be told of.
const (
	leakBytes = 1 << 20
	leakShare = 0.01
)

// statistics logs what happened since the last time and judges what flows tell of loss.
func (h *health) statistics(l losses, now time.Time) {
	res := h.live.Result()
	acked, unseen := res.Flow.Acknowledged-h.flows.Acknowledged, int64(res.Flow.Unseen-h.flows.Unseen)
	share := 0.0
	if acked > 0 {
		share = max(float64(unseen)/float64(acked), 0)
	}
	leaking := share >= leakShare
	if acked >= leakBytes && leaking != h.leaking { // less tells nothing, either way
		h.leaking = leaking
		text := fmt.Sprintf("%.1f %% of what hosts acknowledged in %s was never seen here: ", 100*share, h.d.conf.StatsEvery)
		if leaking {
			text += "packets are lost before the sensor, as on an overloaded mirror port"
		} else {
			text += "packets arrive whole again"
		}
		h.d.tell(alert.HealthLoss, text, !leaking)
	}
	seconds := max(now.Sub(h.statedAt).Seconds(), 1)
	c := h.d.engine.Coverage()
	h.d.log.Info("statistics",
		zap.Uint64("received", l.received), zap.Float64("per_second", float64(l.received-h.packets)/seconds),
		zap.Uint64("dropped_ring", l.ring), zap.Uint64("dropped_interface", l.adapter), zap.Uint64("observations_lost", l.queue),
		zap.Uint64("ring_full", l.frozen), zap.Float64("unseen_share", share),
		zap.Int("flows", res.Flow.Open), zap.Uint64("flows_ended", c.Flows), zap.Uint64("one_directional", c.OneSided),
		zap.Int("hosts", c.Hosts), zap.Uint64("observation_log_dropped", h.d.observed.dropped()), zap.Inline(h.in.kernel))
	h.workers()
	if err := h.in.kernel.filter.Watch(h.d.engine.Servers(prefilter.Vendors)); err != nil {
		h.d.log.Warn(err.Error())
	}
	h.flows, h.packets, h.statedAt = res.Flow, l.received, now
}

// workers logs the counts of each worker, if there are several.
func (h *health) workers() {
	all := h.live.Workers()
	if len(all) < 2 {
		return
	}
	for n, w := range all {
		h.d.log.Info("statistics of "+printable(h.in.list[n].name),
			zap.Uint64("received", w.Source.Packets), zap.Uint64("dropped_ring", w.Source.Dropped),
			zap.Uint64("ring_full", w.Source.Frozen), zap.Uint64("observations_lost", w.Lost), zap.Int("waiting", w.Waiting))
	}
}

// end judges for the last time.
func (h *health) end() {
	l := h.losses()
	if l.all() > h.lost.all() {
		h.toldAt = time.Time{}
	}
	h.drops(l, time.Now())
	h.lost = l
}

// capture returns how capture went, for the summary.
func (h *health) capture() (all []string) {
	for _, s := range h.sources() {
		all = append(all, fmt.Sprintf("%s: %s packets, %s dropped by the ring (full %s times), %s observations lost",
			printable(s.name), report.Count(s.stats.Packets+s.stats.Skipped), report.Count(s.stats.Dropped), report.Count(s.stats.Frozen), report.Count(s.lost)))
	}
	for _, i := range h.in.interfaces {
		if n := h.adapter(i); n > 0 && h.base != nil {
			all = append(all, fmt.Sprintf("%s: %s packets lost by the interface", printable(i.Name()), report.Count(n)))
		}
	}
	all = append(all, h.in.kernel.coverage()...)
	if f := h.live.Result().Flow; f.Acknowledged > 0 {
		all = append(all, fmt.Sprintf("lost before they came here, by what flows acknowledge: %.2f %% of %s",
			100*float64(f.Unseen)/float64(f.Acknowledged), strings.TrimSpace(report.Size(f.Acknowledged))))
	}
	return all
}

// summary is what the run has to say at its end.
func (d *daemon) summary() *report.Summary {
	res := d.live.Result()
	in := report.Input{
		First: res.Decode.First, Last: res.Decode.Last,
		Dropped: dropped(res), Limits: limits(res, d.engine.Coverage()), Capture: d.health.capture(),
		Packs: d.know.packs, Policies: d.know.policies, Geo: d.know.geo, Warnings: d.know.warnings,
	}
	in.Filter = d.in.kernel.filtering()
	for _, w := range d.live.Workers() {
		in.Packets += w.Source.Packets
		in.Bytes += w.Source.Bytes
		in.Cut += w.Source.Cut
		in.Filtered += w.Source.Filtered
	}
	return &report.Summary{
		Findings: d.engine.Findings(), Coverage: d.engine.Coverage(),
		Vendor: d.know.detect.Set.Vendor, Input: in, MaxFacts: d.conf.Facts,
	}
}
