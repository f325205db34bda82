package flow_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/flow"
	"telltale/capture/pcapfile"
	"telltale/testdata/generate"
)

// stream is a Source of packets in memory.
type stream struct {
	packets []capture.Packet
	at      int
}

func (s *stream) Next(b *capture.Batch) error {
	if s.at == len(s.packets) {
		return io.EOF
	}
	n := min(100, len(s.packets)-s.at)
	b.Packets = append(b.Packets[:0], s.packets[s.at:s.at+n]...)
	s.at += n
	return nil
}

func (s *stream) Stats() capture.Stats { return capture.Stats{} }
func (s *stream) Close() error         { return nil }

// follow returns the JSON lines of packets, numbered anew, and what was counted.
func follow(t testing.TB, packets []capture.Packet, window time.Duration, workers int) (string, flow.Result) {
	t.Helper()
	packets = slices.Clone(packets)
	for i := range packets {
		packets[i].Ordinal = uint64(i + 1)
	}
	var b []byte
	res, err := flow.Run(context.Background(), &stream{packets: packets}, flow.Config{Workers: workers}, decode.Config{Dedup: window}, func(o *capture.Observation) error {
		b = append(o.AppendJSON(b), '\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(b), res
}

// mirrored is the copy of an Ethernet frame that another mirror port makes: in another
// VLAN, behind a router that has counted the hop limit down, or the same.
func mirrored(p capture.Packet, how int) capture.Packet {
	if p.Link != capture.LinkEthernet || len(p.Data) < 34 {
		return p
	}
	b := bytes.Clone(p.Data)
	switch how {
	case 1: // VLAN 99
		b = slices.Concat(b[:12], []byte{0x81, 0, 0, 99}, b[12:])
		p.Length += 4
	case 2: // routed
		copy(b, "\x02routed\x02hops")
		switch binary.BigEndian.Uint16(b[12:]) {
		case 0x0800:
			b[22]--
			binary.BigEndian.PutUint16(b[24:], binary.BigEndian.Uint16(b[24:])+0x100)
		case 0x86dd:
			b[21]--
		}
	}
	p.Data = b
	return p
}

var ordinals = regexp.MustCompile(`"(packet|flow)":(\d+)`)

// numbered replaces the ordinals in JSON lines by those in place.
func numbered(s string, place []int) string {
	return ordinals.ReplaceAllStringFunc(s, func(m string) string {
		f := ordinals.FindStringSubmatch(m)
		n, _ := strconv.Atoi(f[2])
		return fmt.Sprintf("%q:%d", f[1], place[n-1])
	})
}

// recorded returns the captures that lie with the project, and the shared ones.
func recorded(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("../../testdata/case/*/input.*")
	if err != nil || len(all) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	more, _ := filepath.Glob("../../../shared/captures/*.pcap*")
	return append(all, more...)
}

// TestEveryPacketTwice: a capture in which each packet has a copy says the same as the
// one without, for any number of workers; only the ordinals differ.
func TestEveryPacketTwice(t *testing.T) {
	for _, path := range recorded(t) {
		for how, name := range []string{"same", "tagged", "routed"} {
			t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path)+"/"+name, func(t *testing.T) {
				t.Parallel()
				packets := packetsOf(t, pcapfile.Config{Paths: []string{path}})
				if len(packets) == 0 {
					t.Skip("no packets")
				}
				want, plain := follow(t, packets, decode.DefaultDedup, 1)
				var doubled []capture.Packet
				var place []int
				for i, p := range packets {
					doubled = append(doubled, p, mirrored(p, how))
					place = append(place, i+1, i+1)
				}
				for _, workers := range []int{1, 3} {
					got, res := follow(t, doubled, decode.DefaultDedup, workers)
					if got = numbered(got, place); got != want {
						t.Fatalf("%d workers: %s", workers, difference(want, got))
					}
					ok := plain.Decode.Reasons[decode.OK]
					if res.Decode.Reasons[decode.OK] != ok || res.Decode.Reasons[decode.Duplicate] < ok {
						t.Errorf("%d segments and %d copies, want %d of each", res.Decode.Reasons[decode.OK], res.Decode.Reasons[decode.Duplicate], ok)
					}
				}
			})
		}
	}
}

// TestCopiesAnywhere puts copies of any packets somewhat later into a capture without
// any.
func TestCopiesAnywhere(t *testing.T) {
	packets := visits(t, 12)
	want, res := follow(t, packets, decode.DefaultDedup, 1)
	if n := res.Decode.Reasons[decode.Duplicate]; n != 0 {
		t.Fatalf("%d copies in the capture as it is", n)
	}
	if got, _ := follow(t, packets, 0, 1); got != want {
		t.Fatalf("without a window: %s", difference(want, got))
	}
	rapid.Check(t, func(r *rapid.T) {
		type numberedPacket struct {
			capture.Packet
			place int
		}
		var all []numberedPacket
		for i, p := range packets {
			all = append(all, numberedPacket{p, i + 1})
			for range rapid.IntRange(0, 2).Draw(r, "copies") {
				c := mirrored(p, rapid.IntRange(0, 2).Draw(r, "how"))
				c.Time += rapid.Int64Range(0, int64(decode.DefaultDedup)).Draw(r, "later")
				all = append(all, numberedPacket{c, i + 1})
			}
		}
		slices.SortStableFunc(all, func(a, b numberedPacket) int { return int(a.Time - b.Time) })
		var list []capture.Packet
		var place []int
		for _, p := range all {
			list, place = append(list, p.Packet), append(place, p.place)
		}
		got, _ := follow(t, list, decode.DefaultDedup, 2)
		if got = numbered(got, place); got != want {
			r.Fatal(difference(want, got))
		}
	})
}

// TestRetransmissionsCount: what a host sends again is no copy.
func TestRetransmissionsCount(t *testing.T) {
	packets := visits(t, 12)
	again := slices.Clone(packets)
	for _, p := range packets { // half a minute later, as after a silence
		p.Time += 30e9
		again = append(again, p)
	}
	_, res := follow(t, again, decode.DefaultDedup, 1)
	if n := res.Decode.Reasons[decode.Duplicate]; n != 0 {
		t.Errorf("%d packets were taken for copies", n)
	}
}

// visits returns generated browsing, which has no packet twice.
func visits(t testing.TB, n int) []capture.Packet {
	t.Helper()
	made, err := generate.Visits(n, []string{"www.example.com", "cdn.example.net", "a.example.org", "b.example.org"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return packetsOf(t, pcapfile.Config{Paths: []string{"-"}, Stdin: bytes.NewReader(made.PCAP)})
}

// BenchmarkRun follows generated browsing, with and without leaving out copies.
func BenchmarkRun(b *testing.B) {
	packets := visits(b, 3000)
	size := int64(0)
	for _, p := range packets {
		size += int64(len(p.Data))
	}
	for name, window := range map[string]time.Duration{"keep": 0, "dedup": decode.DefaultDedup} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				_, err := flow.Run(context.Background(), &stream{packets: packets}, flow.Config{}, decode.Config{Dedup: window}, func(*capture.Observation) error { return nil })
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(packets)), "ns/packet")
		})
	}
}
