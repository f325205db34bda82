package main

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// gate stands before a receiver and does to connections what networks and dying peers do.
type gate struct {
	addr string // where it listens
	to   string // the receiver
	mode atomic.Int32

	mu   sync.Mutex
	open map[net.Conn]bool
}

// What a gate does.
const (
	passes   = iota
	refuses  // closes what is opened
	stalls   // keeps connections and passes nothing
	swallows // passes what is sent and loses the answers
	halves   // ends the way of the answers, and reads on
	cuts     // resets connections in the middle
	modes
)

func newGate(t *testing.T, to string) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{addr: l.Addr().String(), to: to, open: map[net.Conn]bool{}}
	t.Cleanup(func() { _ = l.Close(); g.mode.Store(cuts); g.reset() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go g.serve(c)
		}
	}()
	return g
}

func (g *gate) serve(c net.Conn) {
	if g.mode.Load() == refuses {
		_ = c.Close()
		return
	}
	s, err := net.Dial("tcp", g.to)
	if err != nil {
		_ = c.Close()
		return
	}
	g.mu.Lock()
	g.open[c] = true
	g.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { g.requests(s, c) })
	both.Go(func() { g.answers(c, s) })
	both.Wait()
	_, _ = c.Close(), s.Close()
	g.mu.Lock()
	delete(g.open, c)
	g.mu.Unlock()
}

// requests passes what the sensor sends.
func (g *gate) requests(to, from net.Conn) {
	b := make([]byte, 16<<10)
	for {
		n, err := from.Read(b)
		for g.mode.Load() == stalls {
			time.Sleep(5 * time.Millisecond)
		}
		if n > 0 && g.mode.Load() == cuts {
			_, _ = to.Write(b[:n/2])
			_, _ = to.Close(), from.Close()
			return
		}
		if _, werr := to.Write(b[:n]); err != nil || werr != nil {
			_ = to.(*net.TCPConn).CloseWrite()
			return
		}
	}
}

// answers passes what the receiver sends. Where some was lost the rest is too.
func (g *gate) answers(to, from net.Conn) {
	b := make([]byte, 16<<10)
	for {
		n, err := from.Read(b)
		switch g.mode.Load() {
		case swallows:
			_, _ = io.Copy(io.Discard, from)
			return
		case halves:
			_ = to.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, from)
			return
		}
		if _, werr := to.Write(b[:n]); err != nil || werr != nil {
			_ = to.(*net.TCPConn).CloseWrite()
			return
		}
	}
}

// reset closes all connections.
func (g *gate) reset() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for c := range g.open {
		_ = c.Close()
	}
}

// disturb does one harm after the other until mend is called. also, which may be nil, is
// harm to the receiver itself, undone by what it returns.
func (g *gate) disturb(r *rand.Rand, also func(*rand.Rand) (undo func())) (mend func()) {
	own := rand.New(rand.NewPCG(r.Uint64(), 0))
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		defer g.reset() // what lost answers is over
		defer g.mode.Store(passes)
		for {
			mode, undo := own.Int32N(modes+2), func() {}
			if mode < modes {
				g.mode.Store(mode)
			} else if also != nil {
				undo = also(own)
			}
			select {
			case <-stop:
				undo()
				return
			case <-time.After(time.Duration(50+own.IntN(450)) * time.Millisecond):
				undo()
			}
		}
	}()
	return func() { close(stop); <-done }
}
