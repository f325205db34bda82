package alert

import "time"

// history remembers what was handed to a receiver that does not acknowledge, oldest
// first, as far back as its Window reaches.
type history []handed

// handed is one batch: the records after one sequence number up to another.
type handed struct {
	after, upTo uint64
	records     int
	at          time.Time
}

// add appends a batch, forgets what lies outside the window, and returns the sequence
// number up to which nothing is in doubt.
func (h *history) add(after, upTo uint64, records int, now time.Time, w Window) uint64 {
	list := append(*h, handed{after, upTo, records, now})
	total := 0
	for _, b := range list {
		total += b.records
	}
	for len(list) > 1 {
		oldest := list[0]
		if now.Sub(oldest.at) < w.Span || total-oldest.records < w.Records {
			break
		}
		total -= oldest.records
		list = list[1:]
	}
	*h = list
	return list[0].after
}

// start forgets all and returns where the window began; sent if it was empty.
func (h *history) start(sent uint64) uint64 {
	if len(*h) > 0 {
		sent = (*h)[0].after
	}
	*h = nil
	return sent
}
