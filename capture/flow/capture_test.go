package flow_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/flow"
	"telltale/capture/pcapfile"
)

// shared returns the folder of real captures, which only a full checkout has.
func shared(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("../../../shared/captures")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no shared captures beside the project")
	}
	return dir
}

// observe returns the JSON lines of captures read as one stream.
func observe(t testing.TB, workers int, paths ...string) string {
	t.Helper()
	src, err := pcapfile.Open(pcapfile.Config{Paths: paths})
	if err != nil {
		t.Skipf("not a capture: %v", err)
	}
	defer src.Close()
	var b []byte
	_, err = flow.Run(context.Background(), src, flow.Config{Workers: workers}, decode.Config{Dedup: decode.DefaultDedup}, func(o *capture.Observation) error {
		b = append(o.AppendJSON(b), '\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func captures(t testing.TB) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(shared(t), "*.pcap*"))
	if err != nil || len(all) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	return all
}

// TestWorkersAgree: the same bytes come out for any number of workers.
func TestWorkersAgree(t *testing.T) {
	for _, path := range captures(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			want := observe(t, 1, path)
			for _, n := range []int{2, 8} {
				if got := observe(t, n, path); got != want {
					t.Errorf("%d workers: %s", n, difference(want, got))
				}
			}
			for i, line := range strings.Split(strings.TrimSuffix(want, "\n"), "\n") {
				if line != "" && !json.Valid([]byte(line)) {
					t.Fatalf("line %d is not JSON: %s", i+1, line)
				}
			}
		})
	}
}

// TestCutCapture: a capture cut in two files says the same as the whole.
func TestCutCapture(t *testing.T) {
	for _, name := range []string{"merc_top-https.pcap", "drv_reorder_tp_viber.pcap", "drv_ipfrag_merc_top-https.pcap", "tp_teams.pcap", "lbnl_detect-kaspersky.pcap"} {
		path := filepath.Join(shared(t), name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := observe(t, 1, path)
			packets, link := load(t, path)
			for _, share := range []float64{0.001, 0.1, 0.33, 0.5, 0.77, 0.999} {
				at := min(max(1, int(share*float64(len(packets)))), len(packets)-1)
				a, b := filepath.Join(t.TempDir(), "a.pcap"), filepath.Join(t.TempDir(), "b.pcap")
				store(t, a, link, packets[:at])
				store(t, b, link, packets[at:])
				if got := observe(t, 2, b, a); got != want {
					t.Errorf("cut after packet %d: %s", at, difference(want, got))
				}
			}
		})
	}
}

func load(t testing.TB, path string) ([]capture.Packet, capture.LinkType) {
	t.Helper()
	all := packetsOf(t, pcapfile.Config{Paths: []string{path}})
	if len(all) == 0 {
		t.Fatalf("%s: no packets", path)
	}
	return all, all[0].Link
}

// packetsOf returns the packets of captures; none if they are damaged beyond reading.
func packetsOf(t testing.TB, conf pcapfile.Config) (all []capture.Packet) {
	t.Helper()
	src, err := pcapfile.Open(conf)
	if err != nil {
		return nil
	}
	defer src.Close()
	for {
		var b capture.Batch
		if src.Next(&b) != nil {
			return all
		}
		for _, p := range b.Packets {
			p.Data = append([]byte(nil), p.Data...)
			all = append(all, p)
		}
	}
}

func store(t *testing.T, path string, link capture.LinkType, packets []capture.Packet) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := pcapfile.NewWriter(f, link, true)
	if err != nil {
		t.Fatal(err)
	}
	for i := range packets {
		if err := w.Write(&packets[i]); err != nil {
			t.Fatal(err)
		}
	}
}

// difference shows the first line in which two outputs differ.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return "first difference\nwant " + w[i] + "\ngot  " + g[i]
		}
	}
	return "one output is longer"
}
