package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"telltale/testdata/generate"
)

// TestLiveReplay: captures sent over a wire give live the observations that replay makes
// of the files, with one worker and with several.
func TestLiveReplay(t *testing.T) {
	need(t, "tcpreplay")
	for _, name := range []string{"updater", "go-client", "chromium-quic", "dig-dns", "link-vlan", "link-qinq", "blocked", "proxy"} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, false)
			file := input(t, "../../testdata/case/"+name)
			workers := "1"
			if name == "updater" || name == "link-qinq" {
				workers = "3"
			}
			dir := t.TempDir()
			s := w.start("run", "-i", "vb", "--inbound", "-j", workers, "--prefilter", "off", "--observations", filepath.Join(dir, "seen"))
			w.send(file, "--pps=3000")
			time.Sleep(300 * time.Millisecond)
			if text := s.stop(); strings.Contains(text, "lost by the interface") {
				t.Error("something is taken for lost that was not")
			}
			seen, err := os.ReadFile(filepath.Join(dir, "seen"))
			if err != nil {
				t.Fatal(err)
			}
			_, want, _ := call(t, "observe", file)
			if d := cmp.Diff(timeless(t, want), timeless(t, string(seen))); d != "" {
				t.Errorf("observations (-replay +live)\n%s", d)
			}
			if _, alerts, _ := call(t, "replay", file); !strings.Contains(alerts, "finding.opened") == strings.Contains(s.read("alerts.jsonl"), "finding.opened") {
				t.Error("live and replay do not find the same")
			}
			validate(t, alertSchema(t), s.read("alerts.jsonl"))
		})
	}
}

// TestLiveShared: real captures sent over a wire, tunnels and fragments among them, give
// the observations that replay makes of them. Flows are left out: sent fast, none ends by
// silence.
func TestLiveShared(t *testing.T) {
	need(t, "tcpreplay")
	dir := "../../../shared/captures/"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no shared captures beside the project")
	}
	for _, name := range []string{"merc_geneve.pcap", "merc_emix.pcap", "drv_ipfrag_merc_top-https.pcap", "drv_vlan_merc_top-https.pcap", "drv_erspan2_merc_top-https.pcap"} {
		t.Run(name, func(t *testing.T) {
			if _, err := os.Stat(dir + name); err != nil {
				t.Skip("not among the shared captures")
			}
			w := newWire(t, false)
			seen := ""
			// A machine that is busy with other things loses observations, and the summary
			// says so: then more slowly.
			for _, rate := range []string{"3000", "1000", "300"} {
				seen = filepath.Join(t.TempDir(), "seen")
				s := w.start("run", "-i", "vb", "--inbound", "-j", "3", "--observations", seen)
				w.send(dir+name, "--pps="+rate)
				time.Sleep(300 * time.Millisecond)
				if strings.Contains(s.stop(), "0 dropped by the ring (full 0 times), 0 observations lost") {
					break
				}
			}
			b, err := os.ReadFile(seen)
			if err != nil {
				t.Fatal(err)
			}
			_, want, _ := call(t, "observe", dir+name)
			// Fragments have no ports, so a flow that has both is read from two rings: the
			// stream is not in order, and a certificate may be missed or not be asked for.
			ordered := !strings.Contains(name, "ipfrag")
			if d := cmp.Diff(messages(t, want, ordered), messages(t, string(b), ordered)); d != "" {
				t.Errorf("observations (-replay +live)\n%s", d)
			}
		})
	}
}

// messages is timeless without flows and identities, which go by time, and without
// certificates where streams are not in order.
func messages(t *testing.T, text string, ordered bool) (all []string) {
	t.Helper()
	for _, o := range timeless(t, text) {
		if !strings.Contains(o, `"proto":"flow"`) && !strings.Contains(o, `"kind":"identity"`) && (ordered || !strings.Contains(o, `"proto":"x509"`)) {
			all = append(all, o)
		}
	}
	return slices.Compact(all) // sent fast, what hosts repeat comes within the time of a copy
}

// timeless returns observations without times and numbers, sorted.
func timeless(t *testing.T, text string) (all []string) {
	t.Helper()
	for line := range strings.Lines(text) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		for _, k := range []string{"ts", "start", "packet", "flow"} {
			delete(o, k)
		}
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(b))
	}
	slices.Sort(all)
	return all
}

// TestOverload: at twice the rate that it can take the daemon goes on, keeps its memory
// within bounds, counts exactly what it lost and says that coverage is reduced.
func TestOverload(t *testing.T) {
	need(t, "tcpreplay")
	need(t, "curl")
	w := newWire(t, false)
	s := w.start("run", "-i", "vb", "--inbound", "-j", "1", "--ring", "2", "--max-flows", "2000",
		"--prefilter", "off", "--stats-every", "1s", "--metrics", "127.0.0.1:9900")
	file := visits(t)
	before := w.arrived()
	atRest := s.memory("VmRSS")
	// A tenth of the time on every machine, so that what it can take is known and small.
	release := s.slow(10*time.Millisecond, 90*time.Millisecond)
	began := time.Now()
	w.send(file, "--topspeed", "--loop=4", "--unique-ip")
	flood := w.counts()
	took := time.Since(began)
	rate := int(float64(flood.received) / took.Seconds())
	if flood.dropped == 0 || rate == 0 {
		t.Fatalf("%d packets read, %d dropped: that was no flood", flood.received, flood.dropped)
	}
	w.send(file, fmt.Sprintf("--pps=%d", 2*rate), "--loop=1000000", "--unique-ip", "--duration=4")
	double := w.counts()
	t.Logf("it takes %d packets a second; at twice that %d of %d were dropped", rate,
		double.dropped-flood.dropped, double.dropped-flood.dropped+double.received-flood.received)
	if double.dropped == flood.dropped {
		t.Errorf("nothing was dropped at twice the rate of %d packets a second", rate)
	}
	s.wait(`"health.drops"`, time.Second)
	s.wait("coverage is reduced", time.Second)
	if out := w.scrape("healthz"); !regexp.MustCompile("(?m)^ok$").MatchString(out) {
		t.Errorf("/healthz: %s", out)
	}
	release()
	s.wait("nothing was lost for 1s", 10*time.Second)
	peak := s.memory("VmHWM")
	t.Logf("memory: %d MiB before, %d MiB at most", atRest>>20, peak>>20)
	if peak > atRest+overloadMemory {
		t.Errorf("memory grew from %d to %d MiB", atRest>>20, peak>>20)
	}
	w.send(input(t, "../../testdata/case/updater"), "--pps=3000") // and it still works
	s.wait(`"vendor":"kaspersky"`, 3*time.Second)
	sent := w.arrived() - before
	text := s.stop()
	m := regexp.MustCompile(`vb: ([\d,]+) packets, ([\d,]+) dropped by the ring`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no counts in the summary:\n%s", text)
	}
	received, dropped := number(t, m[1]), number(t, m[2])
	if received+dropped != sent || dropped == 0 {
		t.Errorf("sent %d, received %d, dropped %d", sent, received, dropped)
	}
	if !strings.Contains(text, "the table was full (--max-flows)") {
		t.Error("the flow table was never full: that puts no bound to the test")
	}
	validate(t, alertSchema(t), s.read("alerts.jsonl"))
}

// overloadMemory is how much TestOverload may take beyond what the program has at rest:
// the ring, what a few thousand flows and hosts take, and what the collector leaves lying.
const overloadMemory = 128 << 20

// visits makes a capture of many hosts and names.
func visits(t *testing.T) string {
	t.Helper()
	c, err := generate.Visits(1000, pages(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "visits.pcap")
	if err := os.WriteFile(path, c.PCAP, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// slow lets the program run and stop in turns until the returned function is called.
func (s *session) slow(runs, stops time.Duration) (release func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			_ = s.cmd.Process.Signal(syscall.SIGSTOP)
			time.Sleep(stops)
			_ = s.cmd.Process.Signal(syscall.SIGCONT)
			select {
			case <-done:
				return
			case <-time.After(runs):
			}
		}
	}()
	release = sync.OnceFunc(func() { close(done); <-ended })
	s.t.Cleanup(release)
	return release
}

// memory returns one of the sizes in /proc/PID/status, in bytes.
func (s *session) memory(field string) uint64 {
	s.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	m := regexp.MustCompile(field + `:\s+(\d+) kB`).FindSubmatch(b)
	if m == nil {
		s.t.Fatalf("no %s in %s", field, b)
	}
	return number(s.t, string(m[1])) << 10
}

// scrape returns what the program serves under a path.
func (w *wire) scrape(path string) string {
	w.t.Helper()
	out, err := in(w.far, "curl", "-s", "http://127.0.0.1:9900/"+path).Output()
	if err != nil {
		w.t.Fatalf("/%s: %v", path, err)
	}
	return string(out)
}

// counts are what the program's metrics say of its one ring.
type counts struct{ received, dropped uint64 }

func (w *wire) counts() counts {
	w.t.Helper()
	text := w.scrape("metrics")
	value := func(name string) uint64 {
		m := regexp.MustCompile(`(?m)^` + name + `\{source="vb/0"\} (\S+)$`).FindStringSubmatch(text)
		if m == nil {
			w.t.Fatalf("no %s in\n%s", name, text)
		}
		v, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			w.t.Fatal(err)
		}
		return uint64(v)
	}
	return counts{value("telltale_capture_packets_total"), value("telltale_capture_dropped_total")}
}

func number(t *testing.T, s string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.ReplaceAll(s, ",", ""), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestFlap: an interface that goes down, vanishes and is made anew is captured from
// again, and the alerts say what happened.
func TestFlap(t *testing.T) {
	need(t, "tcpreplay")
	w := newWire(t, false)
	s := w.start("run", "-i", "vb", "-j", "2")
	file := input(t, "../../testdata/case/dig-dns")
	time.Sleep(1100 * time.Millisecond) // one look at the interface
	w.do("ip", "-n", w.near, "link", "set", "vb", "down")
	s.wait("vb went down", 5*time.Second)
	w.do("ip", "-n", w.near, "link", "set", "vb", "up")
	s.wait("vb is up", 5*time.Second)
	w.do("ip", "-n", w.near, "link", "del", "va")
	s.wait("vb is gone", 5*time.Second)
	w.plug()
	s.wait("vb is back", 5*time.Second)
	before := len(s.read("alerts.jsonl"))
	w.send(file, "--pps=3000")
	s.wait("finding.opened", 2*time.Second)
	if len(s.read("alerts.jsonl")) <= before {
		t.Error("nothing was captured from the new interface")
	}
	s.stop()
	validate(t, alertSchema(t), s.read("alerts.jsonl"))
}

// TestRestartAndReload: a killed daemon leaves nothing that keeps the next one from
// starting; a second one beside it is refused; configuration is exchanged in traffic.
func TestRestartAndReload(t *testing.T) {
	need(t, "tcpreplay")
	w := newWire(t, false)
	dir := t.TempDir()
	state, conf := filepath.Join(dir, "state"), filepath.Join(dir, "telltale.yaml")
	write := func(text string) {
		if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("sensor: first\n")
	args := []string{"run", "-i", "vb", "--state", state, "-c", conf}
	killed := w.start(args...)
	second := w.launch(t.TempDir(), append([]string{program(t)}, args...)...)
	<-second.done
	if second.status == nil || !strings.Contains(second.stderr(), "in use by another instance") {
		t.Errorf("a second instance was not refused: %v\n%s", second.status, second.stderr())
	}
	killed.signal(syscall.SIGKILL)
	<-killed.done

	s := w.start(args...)
	file := input(t, "../../testdata/case/chromium-visit")
	traffic := in(w.near, "tcpreplay", "-q", "-i", "va", "--pps=2000", "--loop=1000", file)
	if err := traffic.Start(); err != nil {
		t.Fatal(err)
	}
	write("sensor: [second\n")
	s.signal(syscall.SIGHUP)
	s.wait("the old ones stay", 20*time.Second)
	write("sensor: second\n")
	s.signal(syscall.SIGHUP)
	s.wait("loaded anew", 20*time.Second)
	_ = traffic.Process.Kill()
	_ = traffic.Wait()
	w.send(input(t, "../../testdata/case/updater"), "--pps=3000")
	s.wait(`"vendor":"kaspersky"`, 3*time.Second)
	s.stop()
	alerts := s.read("alerts.jsonl")
	validate(t, alertSchema(t), alerts)
	if !strings.Contains(alerts, `"sensor":"first"`) || !strings.Contains(alerts, `"sensor":"second"`) {
		t.Error("the sensor's name did not change with the configuration")
	}
}

// TestOrdinaryUser: CAP_NET_RAW is enough, and without it the error says how to get it.
func TestOrdinaryUser(t *testing.T) {
	for _, p := range []string{"tcpreplay", "setcap", "setpriv"} {
		need(t, p)
	}
	w := newWire(t, false)
	user := func(binary string) []string {
		return []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", binary, "run", "-i", "vb", "-j", "2"}
	}
	open := func() string {
		dir, err := os.MkdirTemp("", "telltale-user")
		if err == nil {
			err = os.Chmod(dir, 0o777)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		return dir
	}
	plain := w.launch(open(), user(program(t))...)
	<-plain.done
	if text := plain.stderr(); plain.status == nil || !strings.Contains(text, "sudo setcap cap_net_raw+ep "+program(t)) {
		t.Errorf("without privileges: %v\n%s", plain.status, text)
	}
	granted := filepath.Join(filepath.Dir(program(t)), "granted")
	if out, err := exec.Command("cp", program(t), granted).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := exec.Command("setcap", "cap_net_raw+ep", granted).CombinedOutput(); err != nil {
		t.Skipf("NOT RUN: no file capabilities here: %v: %s", err, out)
	}
	s := w.launch(open(), user(granted)...)
	s.wait("listening to vb", 20*time.Second)
	if text := s.stderr(); !strings.Contains(text, "prefilter: cbpf: ") || !strings.Contains(text, "lacks CAP_BPF") {
		t.Errorf("what the prefilter fell back to, and why, is not said:\n%s", text)
	}
	if text := s.stderr(); !strings.Contains(text, "dealt out to 2 workers by outermost addresses and ports (cbpf): ") {
		t.Errorf("that packets are dealt out by what is outermost is not said:\n%s", text)
	}
	w.send(input(t, "../../testdata/case/updater"), "--pps=3000")
	s.wait(`"vendor":"kaspersky"`, 3*time.Second)
	s.stop()
	adapter := w.launch(open(), append(user(granted), "--adapter-time")...)
	<-adapter.done
	if text := adapter.stderr(); adapter.status == nil || !strings.Contains(text, "sudo setcap cap_net_raw,cap_net_admin+ep "+granted) {
		t.Errorf("time stamps of the adapter without CAP_NET_ADMIN: %v\n%s", adapter.status, text)
	}
}

// TestAdapterTime: a driver that has no time stamps of its own is an error that says what
// to do, as are the time stamps of all adapters at once.
func TestAdapterTime(t *testing.T) {
	w := newWire(t, false)
	for name, want := range map[string]string{"vb": "so leave out --adapter-time", "any": `need an interface by name, not "any"`} {
		s := w.launch(t.TempDir(), program(t), "run", "-i", name, "--adapter-time")
		<-s.done
		if text := s.stderr(); s.status == nil || !strings.Contains(text, want) || strings.Contains(text, "setcap") {
			t.Errorf("%s: %v, want %q in\n%s", name, s.status, want, text)
		}
	}
}

// TestPin: each worker runs on a processor of its own, and nothing else is bound.
func TestPin(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("NOT RUN: one processor only")
	}
	w := newWire(t, false)
	s := w.start("run", "-i", "vb", "-j", "2", "--pin")
	bound := map[string]int{}
	for began := time.Now(); len(bound) < 2 && time.Since(began) < 5*time.Second; time.Sleep(10 * time.Millisecond) {
		bound = s.bound()
	}
	s.stop()
	if len(bound) != 2 || bound["0"] != 1 || bound["1"] != 1 {
		t.Errorf("threads bound to processors: %v, want one to each of 0 and 1", bound)
	}
}

// bound returns how many threads may run on one processor only, by that processor.
func (s *session) bound() map[string]int {
	s.t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", s.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	all := map[string]int{}
	for _, name := range tasks {
		b, _ := os.ReadFile(name) // a thread may have ended
		if m := regexp.MustCompile(`(?m)^Cpus_allowed_list:\s(\d+)$`).FindSubmatch(b); m != nil {
			all[string(m[1])]++
		}
	}
	return all
}
