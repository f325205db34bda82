//go:build unix

package inventory

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"telltale/alert"
)

// cpu returns the processor time this process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// discard takes everything.
type discard struct{ n int }

func (d *discard) Send(_ context.Context, batch []alert.Record) alert.Outcome {
	d.n += len(batch)
	return alert.Outcome{Done: len(batch)}
}

func (*discard) Close() error { return nil }

// appending writes bodies to a file and waits for the disk, as the file sink does.
type appending struct {
	f   *os.File
	buf []byte
}

func (a *appending) Send(_ context.Context, batch []alert.Record) alert.Outcome {
	a.buf = a.buf[:0]
	for i := range batch {
		a.buf = append(append(a.buf, batch[i].Body...), '\n')
	}
	if _, err := a.f.Write(a.buf); err != nil {
		return alert.Outcome{Err: err}
	}
	return alert.Outcome{Done: len(batch), Err: a.f.Sync()}
}

func (a *appending) Close() error { return a.f.Close() }

// BenchmarkOutbox is the way of an alert from Put to an acknowledging sink. It reports
// alerts a second, processor time an alert and the heap at the end.
func BenchmarkOutbox(b *testing.B) {
	for name, make := range map[string]func() alert.Sink{
		"store":   nil,
		"discard": func() alert.Sink { return &discard{} },
		"file": func() alert.Sink {
			f, err := os.Create(filepath.Join(b.TempDir(), "alerts"))
			if err != nil {
				b.Fatal(err)
			}
			return &appending{f: f}
		},
	} {
		b.Run(name, func(b *testing.B) { outbox(b, make) })
	}
}

func outbox(b *testing.B, sink func() alert.Sink) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	s := opened(b, Config{Dir: b.TempDir(), Wait: true, Maker: alert.Maker{Sensor: "s"}})
	var targets []alert.Target
	if sink != nil {
		encode := func(dst []byte, a *alert.Alert) []byte { body, _ := alert.Marshal(a); return append(dst, body...) }
		targets = append(targets, alert.Target{Name: "siem", Sink: sink(), Encode: encode, Batch: 1024})
	}
	d, err := alert.NewDispatcher(ctx, alert.DispatcherConfig{Outbox: s, Targets: targets})
	if err != nil {
		b.Fatal(err)
	}
	s.OnReady(d.Wake)
	var running sync.WaitGroup
	running.Go(func() { _ = d.Run(ctx) })
	began, used := time.Now(), cpu(b)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		a, state := nth(n)
		n++
		if err := s.Put(ctx, a, state); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Sync(ctx); err != nil {
		b.Fatal(err)
	}
	if err := d.Drain(ctx, s.Seq()); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(n)/time.Since(began).Seconds(), "alerts/s")
	b.ReportMetric(float64((cpu(b)-used).Microseconds())/float64(n), "cpu-µs/alert")
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapInuse)/(1<<20), "heap-MiB")
	stop()
	running.Wait()
	closed(b, s)
}
