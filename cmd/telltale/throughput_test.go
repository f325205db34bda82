//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"telltale/alert"
	"telltale/alert/sink"
	"telltale/inventory"
)

// BenchmarkDelivery is the way of an alert and its finding through the outbox to a real
// receiver, until that has it (syslog over TCP: until it was handed over). It reports
// alerts a second, processor time of this process an alert, its heap at the end and the
// most memory it had.
func BenchmarkDelivery(b *testing.B) {
	input := func(module string) func(string) string {
		return func(port string) string {
			return fmt.Sprintf("module(load=%q)\ninput(type=%q port=%q ruleset=\"in\")", module, module, port)
		}
	}
	b.Run("file", func(b *testing.B) {
		delivery(b, fmt.Sprintf("[{type: file, path: %s}]", filepath.Join(b.TempDir(), "alerts.jsonl")))
	})
	for name, entry := range map[string][2]string{
		"rsyslog-relp": {"imrelp", "[{type: relp, plain: true, address: %q}]"},
		"rsyslog-tcp":  {"imtcp", "[{type: syslog, transport: tcp, address: %q}]"},
	} {
		b.Run(name, func(b *testing.B) {
			k, _ := rsyslogd(b, input(entry[0]))
			if k == nil {
				b.Skip("NOT RUN: rsyslogd is not installed: apt-get install rsyslog rsyslog-relp")
			}
			delivery(b, fmt.Sprintf(entry[1], k.addr))
		})
	}
}

func delivery(b *testing.B, entries string) {
	var list []sink.Entry
	if err := yaml.Unmarshal([]byte(entries), &list); err != nil {
		b.Fatal(err)
	}
	targets, err := sink.Targets(list)
	if err != nil {
		b.Fatal(err)
	}
	maker := alert.Maker{Sensor: "bench", Packs: "0"}
	e := &env{ctx: context.Background(), log: newLogger(os.Stderr, "console", false)}
	m, err := newMemory(e, targets, inventory.Config{Dir: b.TempDir(), Maker: maker, Wait: true})
	if err != nil {
		b.Fatal(err)
	}
	began, before := time.Now(), spent(b)
	n := 0
	for b.Loop() {
		a, state := ledgerAlert(&maker, n)
		n++
		if err := m.store.Put(e.ctx, a, state); err != nil {
			b.Fatal(err)
		}
	}
	if err := m.deliver(e.ctx, 10*time.Minute); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	end := spent(b)
	b.ReportMetric(float64(n)/time.Since(began).Seconds(), "alerts/s")
	b.ReportMetric(float64((end.cpu-before.cpu).Microseconds())/float64(n), "cpu-µs/alert")
	b.ReportMetric(float64(end.heap)/(1<<20), "heap-MiB")
	b.ReportMetric(end.most, "most-MiB")
	if err := m.close(); err != nil {
		b.Fatal(err)
	}
}

// used is what this process used so far.
type used struct {
	cpu  time.Duration
	heap uint64
	most float64 // MiB
}

func spent(b *testing.B) used {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	most := float64(u.Maxrss) / 1024
	if runtime.GOOS == "darwin" {
		most /= 1024 // bytes there
	}
	return used{time.Duration(u.Utime.Nano() + u.Stime.Nano()), m.HeapInuse, most}
}
