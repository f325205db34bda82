package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// cost is what one turn of a reader took, in nanoseconds for each packet that arrived.
type cost struct {
	kernel, reader float64
	lost           int64 // by the ring, -1 if that is not known
}

func (c cost) total() float64 { return c.kernel + c.reader }

// costs prints what each packet costs each reader.
func costs(l *lane, all []reader, o options, captures []string) error {
	bulk, err := made(64)
	if err != nil {
		return err
	}
	mixed, err := made(4)
	if err != nil {
		return err
	}
	list := []struct {
		name string
		send traffic
	}{{"bulk", bulk}, {"mixed", mixed}}
	if len(captures) > 0 {
		send, err := replayed(captures)
		if err != nil {
			return err
		}
		list = append(list, struct {
			name string
			send traffic
		}{"captures", send})
	}
	fmt.Printf("%d processors, %d packets a turn, %d MiB of ring; ns for each packet that arrived, median (least) of %d turns\n",
		runtime.NumCPU(), o.packets, o.ring, o.rounds)
	for _, t := range list {
		turns := map[string][]cost{}
		for range o.rounds {
			for _, r := range all {
				c, err := l.turn(r, t.send, o.packets)
				if err != nil {
					return fmt.Errorf("%s: %w", r.name, err)
				}
				turns[r.name] = append(turns[r.name], c)
			}
		}
		table(t.name, all, turns)
		compare(t.name, turns)
	}
	return nil
}

// turn has one reader read.
func (l *lane) turn(r reader, send traffic, packets int) (c cost, err error) {
	w, err := r.begin()
	if err != nil {
		return c, err
	}
	began, before := time.Now(), used(w.pid)
	time.Sleep(time.Second)
	idle := float64(used(w.pid)-before) / time.Since(began).Seconds()
	began, before = time.Now(), used(w.pid)
	kernel, arrived := used(l.thread), l.arrived()
	if err := send(packets, 0); err != nil {
		return c, err
	}
	time.Sleep(300 * time.Millisecond) // until the last was read
	n := float64(l.arrived() - arrived)
	c.kernel = float64(used(l.thread)-kernel) / n
	c.reader = max(float64(used(w.pid)-before)-idle*time.Since(began).Seconds(), 0) / n
	c.lost, err = w.end()
	return c, err
}

func table(kind string, all []reader, turns map[string][]cost) {
	fmt.Printf("\n%-9s %-22s %14s %14s %14s %10s  lost\n", kind, "", "kernel", "reader", "both", "Mpps/core")
	for _, r := range all {
		t := turns[r.name]
		var lost []string
		for _, c := range t {
			lost = append(lost, fmt.Sprint(c.lost))
		}
		both := values(t, cost.total)
		fmt.Printf("%-9s %-22s %14s %14s %14s %10.2f  %s\n", kind, r.name,
			spread(values(t, func(c cost) float64 { return c.kernel })), spread(values(t, func(c cost) float64 { return c.reader })),
			spread(both), 1000/median(both), strings.Join(lost, " "))
	}
}

// compare prints how readers stand to each other.
func compare(kind string, turns map[string][]cost) {
	total := func(name string) float64 { return median(values(turns[name], cost.total)) }
	have := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return turns[n] == nil })
	}
	if have(unfiltered, filtered) {
		fmt.Printf("%s: %s costs %.2f of %s", kind, filtered, total(filtered)/total(unfiltered), unfiltered)
		if have(nobody) {
			fmt.Printf(", %.2f beyond what a packet costs with nobody there", (total(filtered)-total(nobody))/(total(unfiltered)-total(nobody)))
		}
		fmt.Println()
	}
	if have(unfiltered, driver) {
		fmt.Printf("%s: %s takes %.1f times the packets of %s on a core\n", kind, driver, total(unfiltered)/total(driver), unfiltered)
	}
	if have(ourHeaders, theirHeaders) {
		side := func(name string) float64 {
			return median(values(turns[name], func(c cost) float64 { return c.reader }))
		}
		fmt.Printf("%s: %s takes %.2f of the reader's time of %s\n", kind, ourHeaders, side(ourHeaders)/side(theirHeaders), theirHeaders)
	}
}

func values(turns []cost, of func(cost) float64) (all []float64) {
	for _, c := range turns {
		all = append(all, of(c))
	}
	slices.Sort(all)
	return all
}

func median(sorted []float64) float64 { return sorted[len(sorted)/2] }

func spread(sorted []float64) string { return fmt.Sprintf("%.0f (%.0f)", median(sorted), sorted[0]) }
