package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// totalless removes what counts packets and the mark that they are not all.
var totalless = regexp.MustCompile(`,"(bytes_in|bytes_out|packets_in|packets_out|prefiltered)":[0-9a-z]+`)

// TestLivePrefilter: whatever holds bulk back, live gives the observations that replay
// makes of the file, but for the totals of flows, and says what was held back.
func TestLivePrefilter(t *testing.T) {
	need(t, "tcpreplay")
	for _, mode := range []string{"ebpf", "cbpf", "xdp"} {
		for _, name := range []string{"chromium-visit", "chromium-quic", "link-qinq"} {
			t.Run(mode+"/"+name, func(t *testing.T) {
				w := newWire(t, false)
				file := input(t, "../../testdata/case/"+name)
				seen := filepath.Join(t.TempDir(), "seen")
				args := []string{"run", "-i", "vb", "--inbound", "-j", "2", "--prefilter", mode, "--observations", seen}
				if mode == "xdp" {
					args = append(args, "--dedicated-mirror")
				}
				s := w.start(args...)
				w.send(file, "--pps=3000")
				time.Sleep(300 * time.Millisecond)
				text := s.stop()
				got, err := os.ReadFile(seen)
				if err != nil {
					t.Fatal(err)
				}
				_, want, _ := call(t, "observe", file)
				if d := cmp.Diff(timeless(t, totalless.ReplaceAllString(want, "")), timeless(t, totalless.ReplaceAllString(string(got), ""))); d != "" {
					t.Errorf("observations (-replay +live)\n%s", d)
				}
				if !strings.Contains(text, "prefilter "+mode+": ") {
					t.Errorf("the summary does not say what was held back:\n%s", text)
				}
				m := regexp.MustCompile(`([\d,]+) packets held back in the kernel .*, ([\d,]+) passed`).FindStringSubmatch(text)
				if mode == "cbpf" {
					return
				}
				if m == nil || name != "link-qinq" && number(t, m[1]) == 0 || number(t, m[1])+number(t, m[2]) != w.arrived() {
					t.Errorf("held back and passed %q are not the %d packets that arrived", m, w.arrived())
				}
			})
		}
	}
}

// TestXDPRefused: XDP takes no traffic away from a machine.
func TestXDPRefused(t *testing.T) {
	w := newWire(t, false)
	refuse := func(want string, args ...string) {
		t.Helper()
		s := w.launch(t.TempDir(), append([]string{program(t), "run", "-i", "vb"}, args...)...)
		<-s.done
		if text := s.stderr(); s.status == nil || !strings.Contains(text, want) {
			t.Errorf("%v: %v, want %q in\n%s", args, s.status, want, text)
		}
	}
	refuse("say --dedicated-mirror", "--prefilter", "xdp")
	refuse("--dedicated-mirror belongs to --prefilter xdp", "--dedicated-mirror")
	w.do("ip", "-n", w.far, "address", "add", "192.0.2.1/24", "dev", "vb")
	refuse("vb has the address 192.0.2.1", "--prefilter", "xdp", "--dedicated-mirror")
	w.do("ip", "-n", w.far, "address", "flush", "dev", "vb")
	w.do("ip", "-n", w.far, "link", "add", "br0", "type", "bridge")
	w.do("ip", "-n", w.far, "link", "set", "vb", "master", "br0")
	refuse("vb is a part of br0", "--prefilter", "xdp", "--dedicated-mirror")
}

// TestLiveFilter: the capture filter works in the kernel and behind the prefilter alike,
// on tags that the kernel takes out too.
func TestLiveFilter(t *testing.T) {
	need(t, "tcpreplay")
	for _, mode := range []string{"off", "ebpf"} {
		for expression, want := range map[string]bool{"port 53": true, "vlan and port 53": true, "not vlan": false} {
			t.Run(mode+"/"+expression, func(t *testing.T) {
				w := newWire(t, false)
				seen := filepath.Join(t.TempDir(), "seen")
				s := w.start("run", "-i", "vb", "--inbound", "-j", "1", "--prefilter", mode, "-f", expression, "--observations", seen)
				w.send(input(t, "../../testdata/case/link-vlan"), "--pps=3000")
				time.Sleep(200 * time.Millisecond)
				text := s.stop()
				got, err := os.ReadFile(seen)
				if err != nil {
					t.Fatal(err)
				}
				protos := map[string]bool{}
				for _, m := range regexp.MustCompile(`"proto":"(\w+)"`).FindAllStringSubmatch(string(got), -1) {
					protos[m[1]] = true
				}
				var expected []string
				if want {
					expected = []string{"dns"}
				}
				if all := slices.Sorted(maps.Keys(protos)); !slices.Equal(all, expected) {
					t.Errorf("observations of %v, want %v", all, expected)
				}
				if !strings.Contains(text, "by the capture filter: "+expression) {
					t.Errorf("the summary does not name the filter:\n%s", text)
				}
			})
		}
	}
}
