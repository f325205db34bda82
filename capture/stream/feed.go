package stream

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"telltale/capture"
)

// Feed is a capture.Source that is fed by others, each read by a goroutine of its own,
// so that a reader of the Feed is never held up by one that has nothing to give.
type Feed struct {
	wait time.Duration
	told func(error)
	full chan *capture.Batch
	free chan *capture.Batch
	gone chan struct{} // closed by Close
	wg   sync.WaitGroup
	once sync.Once

	mu    sync.Mutex
	stats capture.Stats               // of sources that have ended; guarded by mu
	live  map[capture.Source]struct{} // guarded by mu
	conns map[io.Closer]struct{}      // guarded by mu
}

// depth is the number of batches of a Feed.
const depth = 8

// newFeed returns a Feed whose Next returns after wait although nothing came, and that
// tells of sources that end otherwise than they should.
func newFeed(wait time.Duration, told func(error)) *Feed {
	if told == nil {
		told = func(error) {}
	}
	f := &Feed{
		wait: wait, told: told, gone: make(chan struct{}),
		full: make(chan *capture.Batch, depth), free: make(chan *capture.Batch, depth),
		live: make(map[capture.Source]struct{}), conns: make(map[io.Closer]struct{}),
	}
	for range depth {
		f.free <- new(capture.Batch)
	}
	return f
}

// Pipe returns a Feed of what r holds: a capture that is written while it is read, as
// through a pipe. open reads its format. The Feed ends with r.
func Pipe(r io.Reader, conf Config) *Feed {
	conf = conf.withDefaults()
	f := newFeed(conf.Wait, conf.Told)
	f.run(func() {
		if err := f.copy(r, conf.Open); err != nil {
			f.told(err)
		}
	})
	f.finish()
	return f
}

// run runs a producer.
func (f *Feed) run(produce func()) { f.wg.Go(produce) }

// finish ends the Feed once all producers have ended.
func (f *Feed) finish() {
	go func() {
		f.wg.Wait()
		f.once.Do(func() { close(f.full) })
	}()
}

// copy puts the packets of a capture into the Feed until it ends or the Feed is closed.
func (f *Feed) copy(r io.Reader, open func(io.Reader) (capture.Source, error)) error {
	src, err := open(r)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.live[src] = struct{}{}
	f.mu.Unlock()
	err = f.drain(src)
	f.mu.Lock()
	delete(f.live, src)
	f.stats.Add(src.Stats())
	f.mu.Unlock()
	return errors.Join(err, src.Close())
}

func (f *Feed) drain(src capture.Source) error {
	for {
		var b *capture.Batch
		select {
		case b = <-f.free:
		case <-f.gone:
			return nil
		}
		err := src.Next(b)
		if err == nil {
			select {
			case f.full <- b:
				continue
			case <-f.gone:
				return nil
			}
		}
		f.free <- b
		if errors.Is(err, io.EOF) {
			return nil
		}
		return fmt.Errorf("reading a capture: %w", err)
	}
}

// Next implements capture.Source.
func (f *Feed) Next(b *capture.Batch) error {
	timer := time.NewTimer(f.wait)
	defer timer.Stop()
	select {
	case got, ok := <-f.full:
		if !ok {
			return io.EOF
		}
		*got, *b = *b, *got
		f.free <- got
	case <-timer.C:
		b.Packets = b.Packets[:0]
	case <-f.gone:
		return io.EOF
	}
	return nil
}

// Stats implements capture.Source. Size is 0: what comes has no end.
func (f *Feed) Stats() capture.Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.stats
	for src := range f.live {
		s.Add(src.Stats())
	}
	s.Size = 0
	return s
}

// hold keeps c to be closed with the Feed; false if the Feed is closed already.
func (f *Feed) hold(c io.Closer) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.gone:
		return false
	default:
		f.conns[c] = struct{}{}
		return true
	}
}

// leave closes c, which nobody reads any more.
func (f *Feed) leave(c io.Closer) {
	f.mu.Lock()
	delete(f.conns, c)
	f.mu.Unlock()
	_ = c.Close() // only read from
}

// closed says whether Close was called.
func (f *Feed) closed() bool {
	select {
	case <-f.gone:
		return true
	default:
		return false
	}
}

// pause waits for d; false if the Feed was closed.
func (f *Feed) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-f.gone:
		return false
	}
}

// Close implements capture.Source. A producer that waits on a pipe is left to it.
func (f *Feed) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed() {
		return nil
	}
	close(f.gone)
	var errs []error
	for c := range f.conns {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
