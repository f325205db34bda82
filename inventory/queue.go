package inventory

import (
	"context"
	"sync"
	"time"

	"telltale/alert"
	"telltale/detect"
)

// queue is what waits in memory for the disk. It is bounded: a change of a Finding whose
// Alert waits already is told together with it, any other that finds no place is counted
// as dropped.
type queue struct {
	limit int
	wait  bool

	mu      sync.Mutex
	items   []*alert.Alert
	waiting map[string]int // Finding id: place in items
	states  map[string]detect.State
	cursors map[string]uint64
	orders  []order
	dropped uint64   // Alerts that found no place
	reason  string   // why one would be
	syncs   []func() // called when all that was put before is durable
	err     error    // why nothing is taken any more

	some  chan struct{} // something was put
	space chan struct{} // something was taken
}

// order is something else to be done in the next transaction, after the Alerts.
type order func(*transaction) error

// work is what one transaction writes.
type work struct {
	alerts  []*alert.Alert
	states  map[string]detect.State
	cursors map[string]uint64
	orders  []order
	dropped uint64
	reason  string
	syncs   []func()
}

func (w *work) empty() bool {
	return len(w.alerts)+len(w.states)+len(w.cursors)+len(w.orders)+len(w.syncs) == 0 && w.dropped == 0
}

// lazy says that w moves cursors only, which can wait a little.
func (w *work) lazy() bool {
	return len(w.alerts)+len(w.states)+len(w.orders)+len(w.syncs) == 0 && w.dropped == 0
}

// queueFull is the reason of a drop unless there is a better one.
const queueFull = "too many changes at once"

func newQueue(limit int, wait bool) *queue {
	q := &queue{limit: limit, wait: wait, reason: queueFull, some: make(chan struct{}, 1), space: make(chan struct{}, 1)}
	q.reset()
	return q
}

func (q *queue) reset() {
	q.waiting, q.states, q.cursors = map[string]int{}, map[string]detect.State{}, map[string]uint64{}
}

// put adds an Alert and the Finding it tells of. coalesced says that it is told with one
// that waited already.
func (q *queue) put(ctx context.Context, a *alert.Alert, s *detect.State) (coalesced bool, err error) {
	for {
		q.mu.Lock()
		if q.err != nil || len(q.items) < q.limit || !q.wait {
			break
		}
		q.mu.Unlock()
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-q.space:
		}
	}
	defer q.mu.Unlock()
	if q.err != nil {
		return false, q.err
	}
	if s != nil {
		q.states[s.ID] = *s
	}
	coalesced = q.add(a)
	note(q.some)
	return coalesced, nil
}

func (q *queue) add(a *alert.Alert) (coalesced bool) {
	if len(q.items) < q.limit {
		if a.Finding != nil {
			q.waiting[a.Finding.ID] = len(q.items)
		}
		q.items = append(q.items, a)
		return false
	}
	if a.Finding != nil {
		if i, ok := q.waiting[a.Finding.ID]; ok {
			q.items[i] = alert.Merge(q.items[i], a)
			return true
		}
	}
	q.dropped++
	return false
}

// keep adds Findings of which there is nothing to tell.
func (q *queue) keep(s detect.State) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.states[s.ID] = s
	note(q.some)
	return q.err
}

// settle adds how far a sink has come.
func (q *queue) settle(sink string, seq uint64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.cursors[sink] = max(q.cursors[sink], seq)
	note(q.some)
	return q.err
}

// do adds an order.
func (q *queue) do(o order) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.orders = append(q.orders, o)
	note(q.some)
}

// sync calls durable when all that was put before is durable, or can no longer be.
func (q *queue) sync(durable func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		durable()
		return
	}
	q.syncs = append(q.syncs, durable)
	note(q.some)
}

// take returns all that waits, for one transaction. A Finding is never written without
// the Alerts that tell of it.
func (q *queue) take() work {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := work{
		alerts: q.items, states: q.states, cursors: q.cursors, orders: q.orders,
		dropped: q.dropped, reason: q.reason, syncs: q.syncs,
	}
	q.items, q.orders, q.syncs = nil, nil, nil
	q.dropped, q.reason = 0, queueFull
	q.reset()
	note(q.space)
	return w
}

// fail refuses all from now on and ends all waiting.
func (q *queue) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.err = err
	for _, f := range q.syncs {
		f()
	}
	q.syncs, q.orders = nil, nil
	note(q.space)
	note(q.some)
}

func (q *queue) failure() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.err
}

// note leaves a mark in a channel of one place.
func note(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// pause waits while the disk cannot be written, for the reason given; what finds no place
// meanwhile is dropped for it. It returns why nothing is taken any more.
func (q *queue) pause(d time.Duration, reason string) error {
	q.mu.Lock()
	q.reason = reason
	q.mu.Unlock()
	time.Sleep(d)
	return q.failure()
}

// pressing says that more waits than moves of cursors.
func (q *queue) pressing() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)+len(q.states)+len(q.orders)+len(q.syncs) > 0 || q.dropped > 0 || q.err != nil
}
