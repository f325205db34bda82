package prefilter

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/flow"
	"telltale/capture/pcapfile"
)

// thinned is a capture without what the Model holds back.
type thinned struct {
	*pcapfile.Reader
	model *Model // nil holds nothing back
	held  Counts
}

func (s *thinned) Next(b *capture.Batch) error {
	for {
		if err := s.Reader.Next(b); err != nil || s.model == nil {
			return err
		}
		kept := b.Packets[:0]
		for _, p := range b.Packets {
			c := Passed
			if p.Link == capture.LinkEthernet {
				c = s.model.Decide(p.Data, p.Time)
			}
			s.held[c].Packets++
			s.held[c].Bytes += uint64(len(p.Data))
			if c == Passed {
				kept = append(kept, p)
			}
		}
		if b.Packets = kept; len(kept) > 0 {
			return nil
		}
	}
}

func open(tb testing.TB, path string, m *Model) *thinned {
	tb.Helper()
	r, err := pcapfile.Open(pcapfile.Config{Paths: []string{path}, Stdin: os.Stdin})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = r.Close() })
	return &thinned{Reader: r, model: m}
}

// captures returns the cases of the project and the captures beside it.
func captures(tb testing.TB) []string {
	tb.Helper()
	own, _ := filepath.Glob("../../testdata/case/*/input.*")
	shared, _ := filepath.Glob("../../../shared/captures/*.pcap*")
	if len(own) == 0 {
		tb.Fatal("no cases")
	}
	if testing.Short() {
		return own // nothing here runs side by side: the race detector needs no more
	}
	return append(own, shared...)
}

// totals are the parts of the record of a flow that count packets; latest is its last
// packet, which may be held back. The end of a flow is told when it is noticed, so the
// records of ends are compared without their order.
var (
	totals = regexp.MustCompile(`"(bytes|packets)_(out|in)":[0-9]+,?`)
	latest = regexp.MustCompile(`"(ts|packet)":("[^"]*"|[0-9]+),?`)
)

func observations(tb testing.TB, src capture.Source) (told, ends []string) {
	tb.Helper()
	_, err := flow.Run(context.Background(), src, flow.Config{}, decode.Config{}, func(o *capture.Observation) error {
		line := string(o.AppendJSON(nil))
		if o.Proto == capture.ProtoFlow {
			line = totals.ReplaceAllString(line, "")
		}
		if o.Kind == capture.FlowEnd {
			ends = append(ends, latest.ReplaceAllString(line, ""))
		} else {
			told = append(told, line)
		}
		return nil
	})
	if err != nil {
		tb.Logf("reading: %v", err)
	}
	slices.Sort(ends)
	return told, ends
}

// TestSameObservations is the promise of the package: what is held back changes no
// Observation, but for the totals of flows.
func TestSameObservations(t *testing.T) {
	if testing.Short() {
		t.Skip("nothing here runs side by side: the race detector needs no more than the other tests")
	}
	var sum Counts
	for _, path := range captures(t) {
		m := NewModel(Config{Flows: 1 << 14})
		thin := open(t, path, m)
		wantTold, wantEnds := observations(t, open(t, path, nil))
		gotTold, gotEnds := observations(t, thin)
		if d := cmp.Diff(wantTold, gotTold); d != "" {
			t.Errorf("%s: (-whole +thinned)\n%s", filepath.Base(path), d)
		}
		if d := cmp.Diff(wantEnds, gotEnds); d != "" {
			t.Errorf("%s: ends of flows (-whole +thinned)\n%s", filepath.Base(path), d)
		}
		for c, n := range thin.held {
			sum[c].Packets += n.Packets
			sum[c].Bytes += n.Bytes
		}
	}
	held := sum.Held()
	if held.Packets == 0 {
		t.Error("nothing was held back: the test proves nothing")
	}
	t.Logf("passed %+v, held back %+v", sum[Passed], held)
}

// TestTotals: the bytes of TCP flows are known although most packets are held back.
func TestTotals(t *testing.T) {
	if testing.Short() {
		t.Skip("nothing here runs side by side: the race detector needs no more than the other tests")
	}
	exact, short := 0, 0
	for _, path := range captures(t) {
		whole := ends(t, open(t, path, nil), flow.Config{})
		for id, got := range ends(t, open(t, path, NewModel(Config{Flows: 1 << 14})), flow.Config{Prefiltered: true}) {
			want, known := whole[id]
			switch {
			case !known:
				t.Errorf("%s: flow %d is none of the whole capture", filepath.Base(path), id)
			case !got.Prefiltered || want.Prefiltered:
				t.Errorf("%s: flow %d: not said to be prefiltered", filepath.Base(path), id)
			case got.BytesOut < want.BytesOut*9/10 || got.BytesIn < want.BytesIn*9/10:
				short++ // the last packets were bulk, or the flow is full of repeated bytes
			default:
				exact++
			}
		}
	}
	if exact < 20*short {
		t.Errorf("%d flows have their bytes and %d have not", exact, short)
	}
	t.Logf("%d flows have their bytes, %d have not", exact, short)
}

// ends returns the records of the TCP flows that have ended, by their numbers.
func ends(tb testing.TB, src capture.Source, conf flow.Config) map[uint64]capture.FlowState {
	tb.Helper()
	all := map[uint64]capture.FlowState{}
	_, _ = flow.Run(context.Background(), src, conf, decode.Config{}, func(o *capture.Observation) error {
		if o.Kind == capture.FlowEnd && o.Transport == 6 {
			all[o.Flow] = *o.End
		}
		return nil
	})
	return all
}
