package main

import (
	"fmt"
	"runtime"
	"time"
)

// Rates are looked for between these, in packets a second, by steps of a tenth.
const (
	leastRate = 20_000
	mostRate  = 8_000_000
	rateTurn  = 1500 * time.Millisecond
)

// rates prints the highest rate at which no packet was lost, for each reader.
func rates(l *lane, all []reader, o options) error {
	fmt.Printf("%d processors, %d MiB of ring; the highest rate without loss, packets a second, for %s\n", runtime.NumCPU(), o.ring, rateTurn)
	for _, kind := range []struct {
		name  string
		every int32
	}{{"bulk", 64}, {"mixed", 4}} {
		send, err := made(kind.every)
		if err != nil {
			return err
		}
		for _, r := range all {
			if r.name == nobody || r.name == "xdp, drop all" {
				continue
			}
			best, err := highest(func(rate int) (float64, bool, error) { return l.lossless(r, send, rate) })
			if err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
			fmt.Printf("%-6s %-22s %10.0f\n", kind.name, r.name, best)
		}
	}
	return nil
}

// highest finds the highest rate that try reaches without loss: it doubles the rate until
// there is loss, or the sender gets no further, and closes in from both sides then.
func highest(try func(rate int) (reached float64, ok bool, err error)) (best float64, err error) {
	good, bad := 0, 0 // rates asked for without and with loss, 0 for none yet
	for rate := leastRate; bad == 0 || bad-good > max(good, leastRate)/10; {
		reached, ok, err := try(rate)
		if err != nil {
			return 0, err
		}
		switch {
		case !ok:
			bad = rate
		case reached < 1.2*best && bad == 0 || rate >= mostRate:
			return max(best, reached), nil // the sender is the limit
		default:
			good, best = rate, max(best, reached)
		}
		if bad == 0 {
			rate = 2 * good
		} else {
			rate = (good + bad) / 2
		}
	}
	return best, nil
}

// lossless has a reader read at a rate and says whether nothing was lost, in its ring or
// before the interface, and what rate was reached.
func (l *lane) lossless(r reader, send traffic, rate int) (reached float64, ok bool, err error) {
	w, err := r.begin()
	if err != nil {
		return 0, false, err
	}
	packets := int(float64(rate) * rateTurn.Seconds())
	arrived, began := l.arrived(), time.Now()
	if err := send(packets, rate); err != nil {
		return 0, false, err
	}
	reached = float64(packets) / time.Since(began).Seconds()
	time.Sleep(300 * time.Millisecond)
	missing := int64(packets) - (l.arrived() - arrived)
	lost, err := w.end()
	return reached, lost == 0 && missing <= 0, err
}
