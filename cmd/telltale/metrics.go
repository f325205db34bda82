package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"telltale/capture/decode"
)

// serveMetrics serves /metrics and /healthz if an address was given.
func (d *daemon) serveMetrics() (stop func(), err error) {
	if d.conf.Metrics == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", d.conf.Metrics)
	if err != nil {
		return nil, fmt.Errorf("serving metrics: %w", err)
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &meter{d})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", d.healthz)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			d.log.Error("serving metrics ended: " + err.Error())
		}
	}()
	d.log.Info("metrics on http://" + l.Addr().String() + "/metrics")
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = srv.Shutdown(ctx)
	}, nil
}

// healthz answers 200 as long as the goroutine that judges does something.
func (d *daemon) healthz(w http.ResponseWriter, r *http.Request) {
	done := make(chan struct{})
	d.later(func() { close(done) })
	select {
	case <-done:
		_, _ = fmt.Fprintln(w, "ok")
	case <-time.After(5 * time.Second):
		http.Error(w, "judging is held up", http.StatusServiceUnavailable)
	case <-r.Context().Done():
	}
}

// meter collects what the capture counts when it is asked.
type meter struct{ d *daemon }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("telltale_"+name, help, labels, nil)
}

// Descriptions of the metrics.
var (
	descPackets  = describe("capture_packets_total", "Packets read.", "source")
	descBytes    = describe("capture_bytes_total", "Captured bytes of the packets read.", "source")
	descDropped  = describe("capture_dropped_total", "Packets lost because the ring or socket buffer was full.", "source")
	descFrozen   = describe("capture_ring_full_total", "Times a ring was full.", "source")
	descLost     = describe("observations_lost_total", "Observations for which there was no room.", "source")
	descTurns    = describe("worker_turns_total", "Times a worker asked for packets.", "source")
	descMissed   = describe("interface_missed_total", "Packets lost by the interface, since it was made.", "interface")
	descErrors   = describe("interface_errors_total", "Damaged packets, since the interface was made.", "interface")
	descDecoded  = describe("decode_packets_total", "Packets by what decoding made of them.", "reason")
	descFlows    = describe("flows_total", "Flows seen.")
	descEvicted  = describe("flows_evicted_total", "Flows forgotten early because the table was full.")
	descOpen     = describe("flows_open", "Flows in the table.")
	descAcked    = describe("flow_acknowledged_bytes_total", "Bytes that hosts acknowledged in flows seen from both sides.")
	descUnseen   = describe("flow_unseen_bytes_total", "Of those, bytes that were not seen: lost before the capture.")
	descReadyFor = describe("build_info", "Always 1.", "version")
)

// Describe implements prometheus.Collector. What it would describe is told by Collect.
func (m *meter) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (m *meter) Collect(to chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	for n, w := range m.d.live.Workers() {
		name := m.d.in.list[n].name
		count(descPackets, w.Source.Packets, name)
		count(descBytes, w.Source.Bytes, name)
		count(descDropped, w.Source.Dropped, name)
		count(descFrozen, w.Source.Frozen, name)
		count(descLost, w.Lost, name)
		count(descTurns, w.Turns, name)
	}
	for _, i := range m.d.in.interfaces {
		if c, ok := i.Counters(); ok {
			count(descMissed, c.Missed, i.Name())
			count(descErrors, c.Errors, i.Name())
		}
	}
	res := m.d.live.Result()
	for r := decode.OK; r < decode.ReasonCount; r++ {
		count(descDecoded, res.Decode.Reasons[r], r.String())
	}
	count(descFlows, res.Flow.Flows)
	count(descEvicted, res.Flow.Evicted)
	count(descAcked, res.Flow.Acknowledged)
	to <- prometheus.MustNewConstMetric(descUnseen, prometheus.GaugeValue, float64(res.Flow.Unseen))
	to <- prometheus.MustNewConstMetric(descOpen, prometheus.GaugeValue, float64(res.Flow.Open))
	to <- prometheus.MustNewConstMetric(descReadyFor, prometheus.GaugeValue, 1, version)
}
