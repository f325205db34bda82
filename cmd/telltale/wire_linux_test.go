package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"telltale/capture"
	"telltale/capture/pcapfile"
)

// wire is a network namespace of its own with a pair of interfaces: what is sent into va
// arrives at vb. A second namespace holds the other end where far is set.
type wire struct {
	t    *testing.T
	near string
	far  string
}

var wires atomic.Int32

// newWire makes a wire, or skips the test and says what is missing.
func newWire(t *testing.T, far bool) *wire {
	t.Helper()
	if testing.Short() {
		t.Skip("live traffic wants a machine that keeps up: not under the race detector")
	}
	if os.Geteuid() != 0 {
		t.Skip("NOT RUN: network namespaces need root")
	}
	need(t, "ip")
	w := &wire{t: t, near: fmt.Sprintf("tt%d-%d", os.Getpid(), wires.Add(1))}
	if out, err := exec.Command("ip", "netns", "add", w.near).CombinedOutput(); err != nil {
		t.Skipf("NOT RUN: no network namespaces here: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", w.near).Run() })
	w.far = w.near
	if far {
		w.far = w.near + "f"
		w.do("ip", "netns", "add", w.far)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", w.far).Run() })
	}
	w.plug()
	return w
}

// need skips the test if a program is missing.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("NOT RUN: %s is missing: apt-get install iproute2 tcpreplay curl bind9-dnsutils libcap2-bin util-linux", program)
	}
}

// plug makes the pair of interfaces.
func (w *wire) plug() {
	w.t.Helper()
	w.do("ip", "-n", w.near, "link", "add", "va", "type", "veth", "peer", "name", "vb", "netns", w.far)
	for _, end := range [][2]string{{w.near, "va"}, {w.far, "vb"}} {
		w.do("ip", "netns", "exec", end[0], "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; ip link set lo up")
		w.do("ip", "-n", end[0], "link", "set", end[1], "mtu", "16000", "up")
	}
}

func (w *wire) do(args ...string) string {
	w.t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		w.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// in returns a command that runs in namespace ns.
func in(ns string, args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", ns}, args...)...)
}

// send replays a capture into va and waits until it has left.
func (w *wire) send(capture string, flags ...string) {
	w.t.Helper()
	args := append([]string{"tcpreplay", "-q", "-i", "va"}, flags...)
	if out, err := in(w.near, append(args, plainCapture(w.t, capture))...).CombinedOutput(); err != nil {
		w.t.Fatalf("tcpreplay %s: %v\n%s", capture, err, out)
	}
}

// plainCapture writes a capture anew in the form that tcpreplay reads.
func plainCapture(t *testing.T, path string) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "plain.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	out, err := pcapfile.NewWriter(file, capture.LinkEthernet, false)
	eachPacket(t, path, func(p *capture.Packet) { err = errors.Join(err, out.Write(p)) })
	if err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

// eachPacket calls do for each packet of a capture.
func eachPacket(t *testing.T, path string, do func(*capture.Packet)) {
	t.Helper()
	src, err := pcapfile.Open(pcapfile.Config{Paths: []string{path}})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var b capture.Batch
	for src.Next(&b) == nil {
		for i := range b.Packets {
			do(&b.Packets[i])
		}
	}
}

// arrived returns how many packets vb has received.
func (w *wire) arrived() uint64 {
	w.t.Helper()
	var list []struct {
		Stats struct {
			RX struct {
				Packets uint64 `json:"packets"`
			} `json:"rx"`
		} `json:"stats64"`
	}
	out := w.do("ip", "-n", w.far, "-s", "-j", "link", "show", "vb")
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != 1 {
		w.t.Fatalf("reading the counters of vb: %v: %s", err, out)
	}
	return list[0].Stats.RX.Packets
}

var built struct {
	once sync.Once
	path string
	err  error
}

// program returns the path of the program, built once, where every user can run it.
func program(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		dir, err := os.MkdirTemp("", "telltale-live")
		if err != nil {
			built.err = err
			return
		}
		leftovers = append(leftovers, dir)
		built.path = filepath.Join(dir, "telltale")
		cmd := exec.Command("go", "build", "-o", built.path, ".")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w: %s", err, out)
		}
		if err := os.Chmod(dir, 0o755); built.err == nil {
			built.err = err
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

// session is a running daemon.
type session struct {
	t      *testing.T
	cmd    *exec.Cmd
	dir    string
	mu     sync.Mutex
	errs   bytes.Buffer // guarded by mu
	done   chan struct{}
	status error
}

// start runs the program in the namespace of vb and waits until it listens.
func (w *wire) start(args ...string) *session {
	w.t.Helper()
	s := w.launch(w.t.TempDir(), append([]string{program(w.t)}, args...)...)
	s.wait("listening to", 20*time.Second)
	return s
}

// launch runs a command line of the program, alerts going to a file in dir.
func (w *wire) launch(dir string, command ...string) *session {
	w.t.Helper()
	s := &session{t: w.t, dir: dir, done: make(chan struct{})}
	s.cmd = in(w.far, append(command, "-o", s.alerts())...)
	pipe, err := s.cmd.StderrPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	go func() {
		for lines := bufio.NewReader(pipe); ; {
			line, err := lines.ReadBytes('\n')
			s.mu.Lock()
			s.errs.Write(line)
			s.mu.Unlock()
			if err != nil {
				break
			}
		}
		s.status = s.cmd.Wait()
		close(s.done)
	}()
	w.t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.done
		if w.t.Failed() {
			w.t.Logf("standard error:\n%s", s.stderr())
		}
	})
	return s
}

func (s *session) alerts() string { return filepath.Join(s.dir, "alerts.jsonl") }

func (s *session) stderr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.errs.String()
}

func (s *session) read(name string) string {
	b, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	return string(b)
}

// wait waits until standard error or the alerts hold text, and returns how long it took.
func (s *session) wait(text string, limit time.Duration) time.Duration {
	s.t.Helper()
	began := time.Now()
	for time.Since(began) < limit {
		if strings.Contains(s.stderr(), text) || strings.Contains(s.read("alerts.jsonl"), text) {
			return time.Since(began)
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.t.Fatalf("%q did not come within %s; alerts:\n%s", text, limit, s.read("alerts.jsonl"))
	return 0
}

// signal sends a signal to the program itself.
func (s *session) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// stop ends the program in order and returns its standard error.
func (s *session) stop() string {
	s.t.Helper()
	s.signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(15 * time.Second):
		s.t.Fatal("the program did not end within 15 s of SIGTERM")
	}
	if s.status != nil {
		s.t.Errorf("the program ended with %v", s.status)
	}
	return s.stderr()
}
