package detect

import (
	"math"
	"time"
)

// beat watches the intervals between contacts for a regular period.
type beat struct {
	last int64
	n    int     // intervals seen
	mean float64 // seconds
	m2   float64 // sum of squared deviations
}

// Intervals shorter than minBeat belong to one burst of activity.
const (
	minBeat   = 30 * time.Second
	minBeats  = 4
	maxSpread = 0.15 // of the mean, one standard deviation
)

func (b *beat) tick(t int64) {
	if b.last == 0 {
		b.last = t
		return
	}
	gap := t - b.last
	if gap < int64(minBeat) {
		return
	}
	b.last = t
	x := float64(gap) / 1e9
	b.n++
	d := x - b.mean
	b.mean += d / float64(b.n)
	b.m2 += d * (x - b.mean)
}

// period returns the mean interval if the contacts are regular.
func (b *beat) period() (time.Duration, bool) {
	if b.n < minBeats || math.Sqrt(b.m2/float64(b.n)) > maxSpread*b.mean {
		return 0, false
	}
	return time.Duration(b.mean * 1e9).Round(time.Second), true
}
