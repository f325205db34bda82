package flow

import "telltale/capture"

// merging visits the Observations of several workers in the order of their time.
type merging struct {
	workers []*worker
	heads   []*parcel // of each worker, the one being visited; nil if none
}

// head returns the parcel of worker i that is next, nil if there is none now.
func (m *merging) head(i int) *parcel {
	if m.heads[i] == nil {
		select {
		case m.heads[i] = <-m.workers[i].queue:
		default:
		}
	}
	return m.heads[i]
}

// any says whether something waits to be visited.
func (m *merging) any() bool {
	for i := range m.workers {
		if m.head(i) != nil {
			return true
		}
	}
	return false
}

// visit visits what was made up to the time reached. What one worker made keeps its
// order. After an error nothing is visited, but the queues are emptied all the same.
func (m *merging) visit(reached int64, visit func(*capture.Observation) error) (failed error) {
	for {
		best := -1
		for i := range m.workers {
			p := m.head(i)
			if p != nil && (best < 0 || p.made[p.next] < m.heads[best].made[m.heads[best].next]) {
				best = i
			}
		}
		if best < 0 {
			return failed
		}
		p := m.heads[best]
		if p.made[p.next] > reached {
			return failed
		}
		if failed == nil {
			failed = visit(p.log.At(p.next))
		}
		if p.next++; p.next == p.log.Len() {
			p.reset()
			m.heads[best] = nil
			m.workers[best].free <- p
		}
	}
}
