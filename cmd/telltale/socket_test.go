package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"telltale/alert"
	"telltale/alert/format"
)

// socketSink sends batches over a Unix socket and reads an answer for each: a receiver
// that acknowledges, reduced to what matters.
type socketSink struct {
	path string
	conn net.Conn
	in   *bufio.Reader
}

// answer is what the receiver says to a batch.
type answer struct {
	Done    int
	Refused []int
	Busy    bool
	After   time.Duration
}

func socketTarget(path string) alert.Target {
	return alert.Target{Name: filepath.Base(path), Sink: &socketSink{path: path}, Encode: format.Native, Batch: 64}
}

func (s *socketSink) Send(ctx context.Context, batch []alert.Record) (out alert.Outcome) {
	defer func() {
		if out.Err != nil && s.conn != nil {
			_ = s.conn.Close()
			s.conn = nil
		}
	}()
	if s.conn == nil {
		c, err := net.DialTimeout("unix", s.path, time.Second)
		if err != nil {
			return alert.Outcome{Err: err}
		}
		s.conn, s.in = c, bufio.NewReader(c)
	}
	_ = s.conn.SetDeadline(time.Now().Add(time.Second))
	b := fmt.Appendf(nil, "%d\n", len(batch))
	for _, r := range batch {
		b = append(append(b, r.Body...), '\n')
	}
	if _, err := s.conn.Write(b); err != nil {
		return alert.Outcome{Err: err}
	}
	line, err := s.in.ReadBytes('\n')
	var a answer
	if err == nil {
		err = json.Unmarshal(line, &a)
	}
	if err != nil {
		return alert.Outcome{Err: err}
	}
	out.Done, out.After = a.Done, a.After
	for _, i := range a.Refused {
		out.Refused = append(out.Refused, alert.Refusal{Index: i, Reason: "poison"})
	}
	if a.Busy {
		out.Err = fmt.Errorf("busy")
	}
	return out
}

func (s *socketSink) Close() error {
	if s.conn == nil {
		return nil
	}
	return s.conn.Close()
}

// socketReceiver is the other end, and all the trouble receivers make.
type socketReceiver struct {
	path   string
	poison func(id string) bool

	mu   sync.Mutex
	rand *rand.Rand
	rows []ledgerRow
	ill  bool
}

func newSocketReceiver(t *testing.T, dir, name string, poison func(string) bool) *receiver {
	t.Helper()
	s := &socketReceiver{path: filepath.Join(dir, name), poison: poison, rand: rand.New(rand.NewPCG(1, 2))}
	l, err := net.Listen("unix", s.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(c)
		}
	}()
	return &receiver{
		name: name, socket: s, poison: poison,
		received: func(*testing.T) []ledgerRow {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.rows
		},
		disturb: func(*rand.Rand) func() {
			s.be(true)
			return func() { s.be(false) }
		},
	}
}

func (s *socketReceiver) be(ill bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ill = ill
}

func (s *socketReceiver) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	for {
		var n int
		if _, err := fmt.Fscanf(in, "%d\n", &n); err != nil {
			return
		}
		var batch []ledgerRow
		for range n {
			line, err := in.ReadBytes('\n')
			var row ledgerRow
			if err != nil || json.Unmarshal(line, &row) != nil {
				return // a batch cut short is not taken
			}
			batch = append(batch, row)
		}
		a, ok := s.take(batch)
		if !ok {
			return
		}
		line, _ := json.Marshal(a)
		if _, err := c.Write(append(line, '\n')); err != nil {
			return
		}
	}
}

// take keeps a batch, or part of it, and answers; ok is false if the answer gets lost.
func (s *socketReceiver) take(batch []ledgerRow) (a answer, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ill := 0
	if s.ill {
		ill = s.rand.IntN(6)
	}
	a.Done = len(batch)
	switch ill {
	case 1: // takes nothing and hangs up
		return a, false
	case 2: // answers 429
		return answer{Busy: true, After: 20 * time.Millisecond}, true
	case 3: // takes a part
		a.Done = s.rand.IntN(len(batch) + 1)
		a.Busy = a.Done == 0
	case 4: // hangs for longer than the sink waits
		s.mu.Unlock()
		time.Sleep(1100 * time.Millisecond)
		s.mu.Lock()
		return a, false
	}
	for i, row := range batch[:a.Done] {
		if s.poison != nil && s.poison(row.ID) {
			a.Refused = append(a.Refused, i)
			continue
		}
		s.rows = append(s.rows, row)
	}
	return a, ill != 5 // takes all, and the answer gets lost
}
