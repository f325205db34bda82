package flow

import "telltale/capture"

// WorkerStats is what one worker of a Live counts.
type WorkerStats struct {
	Source capture.Stats
	// Lost are Observations for which there was no room in the queue.
	Lost uint64
	// Turns is how often the source was asked for packets. A worker in which it stands
	// still for long hangs.
	Turns uint64
	// Ended says that the source has ended.
	Ended bool
	// Waiting is the number of batches whose Observations wait to be visited.
	Waiting int
}

// Workers returns the counts of each worker. It may be called from any goroutine.
func (l *Live) Workers() []WorkerStats {
	all := make([]WorkerStats, len(l.workers))
	for i, w := range l.workers {
		all[i] = WorkerStats{Source: w.src.Stats(), Lost: w.lost.Load(), Turns: w.turns.Load(), Ended: w.clock.Load() == lastTime, Waiting: len(w.queue)}
	}
	return all
}

// Result returns what was counted so far, over all workers. It may be called from any
// goroutine; what was decoded lags behind a little while packets come.
func (l *Live) Result() Result {
	var r Result
	for _, w := range l.workers {
		w.mu.Lock()
		r.Decode.Add(w.state)
		w.mu.Unlock()
	}
	for _, s := range l.shards {
		s.mu.Lock()
		s.table.stats.Open = s.table.live
		r.Flow.add(s.table.stats)
		s.mu.Unlock()
	}
	return r
}
