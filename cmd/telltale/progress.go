package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/term"

	"telltale/capture"
	"telltale/inventory/report"
)

// workers returns how many goroutines follow flows: the asked number, or one a
// processor up to a sensible bound.
func workers(n int) int {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	return min(n, 16)
}

const progressEvery = 200 * time.Millisecond

// progress draws a bar on w while src is read, if w is a terminal. The returned
// function ends it and wipes the line.
func progress(w io.Writer, src capture.Source) (stop func()) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func() {}
	}
	begun, done := time.Now(), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				_, _ = io.WriteString(f, "\r\x1b[K")
				return
			case now := <-tick.C:
				width, _, err := term.GetSize(int(f.Fd()))
				if err != nil {
					width = 80
				}
				_, _ = fmt.Fprintf(f, "\r\x1b[K%s", progressLine(src.Stats(), now.Sub(begun), width))
			}
		}
	})
	return sync.OnceFunc(func() { close(done); wg.Wait() })
}

// progressLine is share, bar, packets, rate and time left, cut to width columns.
func progressLine(s capture.Stats, spent time.Duration, width int) string {
	seconds := max(spent.Seconds(), 0.001)
	tail := fmt.Sprintf(" %s packets, %s/s, %s/s", report.Count(s.Packets), report.Count(uint64(float64(s.Packets)/seconds)), report.Size(uint64(float64(s.Read)/seconds)))
	if s.Size <= 0 {
		return cutTo(report.Size(uint64(s.Read))+","+tail, width-1)
	}
	share := min(float64(s.Read)/float64(s.Size), 1)
	if share > 0.01 {
		left := time.Duration(seconds * (1 - share) / share * float64(time.Second))
		tail += fmt.Sprintf(", %s left", left.Round(time.Second))
	}
	const cells = 24
	bar := make([]byte, cells)
	for i := range bar {
		bar[i] = '.'
		if float64(i) < share*cells {
			bar[i] = '#'
		}
	}
	return cutTo(fmt.Sprintf("%3.0f %% [%s]%s", share*100, bar, tail), width-1)
}

func cutTo(s string, n int) string {
	if n > 0 && len(s) > n {
		return s[:n]
	}
	return s
}
