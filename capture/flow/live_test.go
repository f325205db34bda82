package flow_test

import (
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"telltale/capture"
	"telltale/capture/afpacket"
	"telltale/capture/decode"
	"telltale/capture/flow"
	"telltale/capture/pcapfile"
)

// alive returns the JSON lines of sources that are followed side by side. The clock
// stands still, so that only packets move time.
func alive(t testing.TB, conf flow.LiveConfig) string {
	t.Helper()
	conf.Clock = func() int64 { return 0 }
	l, err := flow.NewLive(conf)
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	err = l.Run(context.Background(), func(o *capture.Observation) error {
		b = append(o.AppendJSON(b), '\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range l.Workers() {
		if w.Lost > 0 {
			t.Errorf("worker %d lost %d observations", i, w.Lost)
		}
	}
	return string(b)
}

// TestLiveIsReplay: a capture followed as one live source gives the bytes of Run.
func TestLiveIsReplay(t *testing.T) {
	for _, path := range captures(t) {
		want := observe(t, 1, path)
		src, err := pcapfile.Open(pcapfile.Config{Paths: []string{path}})
		if err != nil {
			continue
		}
		got := alive(t, flow.LiveConfig{Sources: []capture.Source{src}, Queue: 1024, Flow: flow.Config{Shards: 16}, Decode: decode.Config{Dedup: decode.DefaultDedup}, MaxWait: 1e10})
		if got != want {
			t.Errorf("%s: live differs from replay", filepath.Base(path))
		}
		src.Close()
	}
}

// TestLiveWorkersAgree: a capture whose packets are dealt out to several workers as the
// kernel does it gives the same observations, whatever their order and numbers.
func TestLiveWorkersAgree(t *testing.T) {
	steer := afpacket.Steering{Seed: 7, Shards: 16}
	for _, path := range captures(t) {
		packets := packetsOf(t, pcapfile.Config{Paths: []string{path}})
		one := alive(t, flow.LiveConfig{
			Sources: deals(packets, 1, func(capture.Packet) int { return 0 }), Steer: steer.Of, MaxWait: 1e10,
		})
		four := alive(t, flow.LiveConfig{
			Sources: deals(packets, 4, func(p capture.Packet) int { return deal(steer, p) }), Steer: steer.Of, MaxWait: 1e10,
		})
		if a, b := without(t, one), without(t, four); !slices.Equal(a, b) {
			t.Errorf("%s: four workers make other observations than one: %d and %d", filepath.Base(path), len(b), len(a))
		}
	}
}

// deal returns the number by which the kernel would deal a packet out. What is in a
// tunnel comes to a wrong worker.
func deal(s afpacket.Steering, p capture.Packet) int {
	var seg decode.Segment
	d := decode.New(decode.Config{})
	if r := d.Decode(&p, &seg); r != decode.OK {
		return 0 // fragments above all: they meet in one decoder
	}
	n := int(s.Of(&seg.Src, &seg.Dst, seg.SrcPort, seg.DstPort))
	if seg.Tunnel != decode.NoTunnel {
		n++
	}
	return n
}

// dealer deals packets out to sources, one packet after the other: the next is given
// out when the one before has been followed, as time on a wire goes on for all rings.
type dealer struct {
	mu   sync.Mutex
	turn *sync.Cond
	todo []capture.Packet
	to   []int // the source of each
	busy bool
}

func deals(packets []capture.Packet, n int, to func(capture.Packet) int) (all []capture.Source) {
	d := &dealer{todo: packets}
	d.turn = sync.NewCond(&d.mu)
	for _, p := range packets {
		d.to = append(d.to, to(p)%n)
	}
	for i := range n {
		all = append(all, &hand{dealer: d, n: i})
	}
	return all
}

// hand is a source that gets its packets from a dealer.
type hand struct {
	*dealer
	n     int
	mine  bool
	stats capture.Stats
}

func (h *hand) Next(b *capture.Batch) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.mine {
		h.mine, h.busy = false, false
		h.turn.Broadcast()
	}
	for len(h.todo) > 0 && (h.busy || h.to[0] != h.n) {
		h.turn.Wait()
	}
	if len(h.todo) == 0 {
		return io.EOF
	}
	b.Packets = append(b.Packets[:0], h.todo[0])
	h.todo, h.to = h.todo[1:], h.to[1:]
	h.mine, h.busy = true, true
	h.stats.Packets++
	return nil
}

func (h *hand) Stats() capture.Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stats
}

func (h *hand) Close() error { return nil }

// without returns the observations sorted, without what depends on the order in which
// packets of different workers are taken.
func without(t testing.TB, lines string) (all []string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		delete(o, "packet")
		delete(o, "flow")
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(b))
	}
	slices.Sort(all)
	return all
}

// TestLiveDetails: what only an observation log needs is there from when it is asked for.
func TestLiveDetails(t *testing.T) {
	path := "../../testdata/case/openssl-sclient/input.pcap"
	for _, on := range []bool{false, true} {
		src, err := pcapfile.Open(pcapfile.Config{Paths: []string{path}})
		if err != nil {
			t.Fatal(err)
		}
		conf := flow.LiveConfig{Sources: []capture.Source{src}, Queue: 1024, MaxWait: 1e10, Flow: flow.Config{Details: !on}}
		conf.Clock = func() int64 { return 0 }
		l, err := flow.NewLive(conf)
		if err != nil {
			t.Fatal(err)
		}
		l.SetDetails(on)
		hellos, prints := 0, 0
		err = l.Run(context.Background(), func(o *capture.Observation) error {
			if o.Proto == capture.ProtoTLS {
				hellos++
				if o.TLS.JA4[0] != 0 {
					prints++
				}
			}
			return nil
		})
		if err != nil || hellos == 0 || on != (prints == hellos) || !on && prints > 0 {
			t.Errorf("details %v: %d of %d hellos have a fingerprint, %v", on, prints, hellos, err)
		}
		src.Close()
	}
}
