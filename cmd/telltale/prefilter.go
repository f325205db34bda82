package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"telltale/capture"
	"telltale/capture/afpacket"
	"telltale/capture/filter"
	"telltale/capture/flow"
	"telltale/capture/prefilter"
	"telltale/inventory/report"
)

// prefilterFlags say what the kernel holds back.
type prefilterFlags struct {
	Prefilter       string `enum:"auto,ebpf,cbpf,off,xdp" default:"auto" help:"What keeps bulk transfer in the kernel: auto, ebpf, cbpf, xdp or off (docs/prefilter.md). It changes no finding."`
	DedicatedMirror bool   `help:"The interfaces do nothing but mirror: --prefilter xdp may drop their packets in the driver."`
}

// prefiltering returns the configuration of the prefilter.
func (f *prefilterFlags) prefiltering() (conf prefilter.Config, err error) {
	if conf.Mode, err = prefilter.ParseMode(f.Prefilter); err != nil {
		return conf, usage(err)
	}
	switch {
	case conf.Mode == prefilter.XDP && !f.DedicatedMirror:
		return conf, usage(errors.New("--prefilter xdp drops packets that this machine might need: say --dedicated-mirror if the interfaces do nothing but mirror, or use --prefilter ebpf"))
	case conf.Mode != prefilter.XDP && f.DedicatedMirror:
		return conf, usage(errors.New("--dedicated-mirror belongs to --prefilter xdp"))
	}
	conf.Seed = rand.Uint64()
	return conf, nil
}

// kernel is what is done with packets before they reach user space.
type kernel struct {
	filter    *prefilter.Filter
	wanted    *filter.Filter // the capture filter, nil for all
	inKernel  []string       // interfaces on which it works in the kernel, which does not count
	unguarded []string       // interfaces the prefilter cannot serve, and why
}

// openKernel loads the prefilter.
func openKernel(conf prefilter.Config, wanted *filter.Filter) (*kernel, error) {
	f, err := prefilter.Open(conf)
	if err != nil {
		return nil, usage(err)
	}
	k := &kernel{filter: f, wanted: wanted}
	return k, k.tick()
}

// kernel loads the filters that the flags ask for.
func (f *liveFlags) kernel(only filterFlags) (*kernel, error) {
	wanted, err := only.compile()
	if err != nil {
		return nil, err
	}
	conf, err := f.prefiltering()
	if err != nil {
		return nil, err
	}
	if len(f.Interface) == 0 && conf.Mode == prefilter.Auto {
		conf.Mode = prefilter.Off // there is no kernel to spare
	}
	return openKernel(conf, wanted)
}

// sift leaves out of a source what the capture filter does not want.
func (k *kernel) sift(src capture.Source) capture.Source {
	if k.wanted == nil {
		return src
	}
	return &sifted{Source: src, wanted: k.wanted}
}

// tick tells the prefilter the time.
func (k *kernel) tick() error { return k.filter.Tick(time.Now().UnixNano()) }

// guard sets what is attached to the sockets of an interface, and says whether the
// capture filter is among it.
func (k *kernel) guard(c *afpacket.Config) (filtered bool, err error) {
	mode := k.filter.Mode()
	ethernet := isEthernet(c.Interface)
	if mode != prefilter.Off && !ethernet {
		k.unguarded = append(k.unguarded, c.Interface+": not an Ethernet interface by name, all packets reach user space")
		mode = prefilter.Off
	}
	switch mode {
	case prefilter.EBPF, prefilter.CBPF:
		c.Attach = k.filter.Attach // in place of a capture filter, which works on what passes
		return false, nil
	case prefilter.XDP:
		i, err := net.InterfaceByName(c.Interface)
		if err != nil {
			return false, fmt.Errorf("attaching the prefilter: %w", err)
		}
		native, err := k.filter.AttachXDP(i.Name, i.Index)
		if err != nil {
			return false, err
		}
		if !native {
			k.unguarded = append(k.unguarded, c.Interface+": its driver does not run XDP by itself, the kernel does it in its place, which saves less")
		}
	}
	if k.wanted == nil || !ethernet {
		return false, nil
	}
	program, err := k.wanted.Program(capture.LinkEthernet, true)
	if err != nil {
		return false, err
	}
	c.Filter = program
	k.inKernel = append(k.inKernel, c.Interface)
	return true, nil
}

// isEthernet says whether frames of an interface are Ethernet (ARPHRD_ETHER, _LOOPBACK).
func isEthernet(name string) bool {
	if strings.Contains(name, "/") {
		return false
	}
	kind, err := os.ReadFile(filepath.Join("/sys/class/net", name, "type"))
	t := strings.TrimSpace(string(kind))
	return err == nil && (t == "1" || t == "772")
}

// flows adapts how flows are followed to what is held back.
func (k *kernel) flows(c *flow.Config) {
	if m := k.filter.Mode(); m == prefilter.EBPF || m == prefilter.XDP {
		c.Prefiltered, c.LossWindow = true, prefilter.Window
	}
}

// sifted is a live source without the packets that the capture filter does not want.
type sifted struct {
	capture.Source
	wanted   *filter.Filter
	filtered atomic.Uint64
}

// Next reads packets that are wanted; there are none if none came.
func (s *sifted) Next(b *capture.Batch) error {
	for {
		if err := s.Source.Next(b); err != nil {
			return err
		}
		n, err := s.wanted.Apply(b)
		s.filtered.Add(uint64(n))
		if err != nil || n == 0 || len(b.Packets) > 0 {
			return err
		}
	}
}

// Stats counts what was read, with the packets that are not wanted.
func (s *sifted) Stats() capture.Stats {
	st := s.Source.Stats()
	st.Filtered = s.filtered.Load()
	return st
}

// log says at the start what keeps bulk in the kernel, and why it is not more.
func (k *kernel) log(log *zap.Logger) {
	text, why := "prefilter: "+k.filter.Mode().String(), k.filter.Why()
	if why != "" && why != asked {
		log.Warn(text + ": " + why)
	} else {
		log.Info(text)
	}
	for _, u := range k.unguarded {
		log.Warn("prefilter: " + printable(u))
	}
}

// asked is what Why says of a mode that was asked for.
const asked = "as asked for"

// coverage returns what was held back, for the summary.
func (k *kernel) coverage() []string {
	mode := k.filter.Mode()
	counts, ok, err := k.filter.Counts()
	switch {
	case err != nil:
		return []string{"prefilter " + mode.String() + ": " + err.Error()}
	case mode == prefilter.Off:
		return nil
	case !ok:
		return []string{"prefilter " + mode.String() + ": what it held back is not counted"}
	}
	held := counts.Held()
	var parts []string
	for c := prefilter.Passed + 1; c < prefilter.ClassCount; c++ {
		if n := counts[c]; n.Packets > 0 {
			parts = append(parts, fmt.Sprintf("%s %s (%s)", c, report.Count(n.Packets), strings.TrimSpace(report.Size(n.Bytes))))
		}
	}
	line := fmt.Sprintf("prefilter %s: %s packets held back in the kernel (%s), %s passed", mode,
		report.Count(held.Packets), strings.TrimSpace(report.Size(held.Bytes)), report.Count(counts[prefilter.Passed].Packets))
	if len(parts) > 0 {
		line += ": " + strings.Join(parts, ", ")
	}
	return append([]string{line}, k.vendors()...)
}

// listed is how many addresses of vendors the summary has.
const listed = 5

// vendors returns what was held back of addresses at which vendors were contacted, most
// bytes first.
func (k *kernel) vendors() (all []string) {
	counts, err := k.filter.Watched()
	if err != nil {
		return []string{err.Error()}
	}
	byBytes := slices.SortedFunc(maps.Keys(counts), func(a, b netip.Addr) int {
		return cmp.Or(cmp.Compare(counts[b].Bytes, counts[a].Bytes), a.Compare(b))
	})
	for _, a := range byBytes[:min(len(byBytes), listed)] {
		if n := counts[a]; n.Packets > 0 {
			all = append(all, fmt.Sprintf("held back of %s, where a vendor was contacted: %s packets (%s)", a, report.Count(n.Packets), strings.TrimSpace(report.Size(n.Bytes))))
		}
	}
	return all
}

// filtering returns the capture filter for the summary.
func (k *kernel) filtering() string {
	text := printable(k.wanted.String())
	if len(k.inKernel) > 0 {
		text += " (on " + printable(strings.Join(k.inKernel, ", ")) + " by the kernel, uncounted)"
	}
	return text
}

// MarshalLogObject adds to the statistics what was held back.
func (k *kernel) MarshalLogObject(to zapcore.ObjectEncoder) error {
	if counts, ok, _ := k.filter.Counts(); ok {
		held := counts.Held()
		to.AddUint64("held_back", held.Packets)
		to.AddUint64("held_back_bytes", held.Bytes)
	}
	return nil
}

// collect adds what was held back to the metrics.
func (k *kernel) collect(count func(d *prometheus.Desc, v uint64, labels ...string)) {
	counts, ok, err := k.filter.Counts()
	if !ok || err != nil {
		return
	}
	for c := range prefilter.ClassCount {
		count(descClass, counts[c].Packets, c.String())
		count(descClassBytes, counts[c].Bytes, c.String())
	}
}
