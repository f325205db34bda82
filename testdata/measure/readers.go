package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"

	"telltale/capture"
	"telltale/capture/afpacket"
	"telltale/capture/decode"
)

// Names of readers that are compared at the end.
const (
	nobody       = "nobody"
	ourHeaders   = "ring and headers"
	theirHeaders = "gopacket and headers"
	unfiltered   = "telltale, off"
	filtered     = "telltale, ebpf"
	driver       = "telltale, xdp"
)

// reader is what reads vb.
type reader struct {
	name    string
	command []string // none for nobody
}

// readers returns all readers, or those that are wanted. The programs lie in dir.
func readers(dir string, o options) (all []reader, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	mib := strconv.Itoa(o.ring)
	telltale := func(args ...string) []string {
		return append([]string{filepath.Join(dir, "telltale"), "run", "-i", "vb", "-j", "1", "--ring", mib, "-o", "/dev/null", "--facts=0", "--prefilter"}, args...)
	}
	for _, r := range []reader{
		{nobody, nil},
		{"xdp, drop all", []string{self, "drop", "vb"}},
		{"tcpdump -w /dev/null", []string{"tcpdump", "-i", "vb", "-n", "-B", strconv.Itoa(o.ring << 10), "-w", "/dev/null"}},
		{"ring", []string{self, "-ring", mib, "read", "vb"}},
		{ourHeaders, []string{self, "-ring", mib, "read", "vb", "headers"}},
		{theirHeaders, []string{filepath.Join(dir, "gopacket"), "vb", mib}},
		{unfiltered, telltale("off")},
		{"telltale, cbpf", telltale("cbpf")},
		{filtered, telltale("ebpf")},
		{driver, telltale("xdp", "--dedicated-mirror")},
	} {
		if strings.Contains(r.name, o.only) {
			all = append(all, r)
		}
	}
	return all, nil
}

// reading is a reader at work. The zero value is nobody.
type reading struct {
	cmd  *exec.Cmd
	pid  int
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (r *reading) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (r *reading) says() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// begin starts a reader and waits until it listens.
func (r reader) begin() (*reading, error) {
	w := &reading{}
	if r.command == nil {
		return w, nil
	}
	w.cmd = exec.Command("ip", append([]string{"netns", "exec", namespace}, r.command...)...)
	w.cmd.Stderr = w
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	w.pid = w.cmd.Process.Pid
	for range 600 {
		if strings.Contains(w.says(), "listening") {
			time.Sleep(time.Second) // the collector's work after the start
			return w, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	_ = w.cmd.Process.Kill()
	return nil, fmt.Errorf("%s does not listen: %w: %s", r.name, w.cmd.Wait(), w.says())
}

// lostCount finds what a reader says of packets that its ring had no room for.
var lostCount = regexp.MustCompile(`([\d,]+) (?:packets )?dropped`)

// end stops the reader and returns what it lost, -1 if it does not say.
func (w *reading) end() (lost int64, err error) {
	if w.cmd == nil {
		return -1, nil
	}
	_ = w.cmd.Process.Signal(syscall.SIGTERM)
	if err := w.cmd.Wait(); err != nil {
		return 0, fmt.Errorf("%s: %w: %s", strings.Join(w.cmd.Args[4:], " "), err, w.says())
	}
	m := lostCount.FindStringSubmatch(w.says())
	if m == nil {
		return -1, nil
	}
	return strconv.ParseInt(strings.ReplaceAll(m[1], ",", ""), 10, 64)
}

// bare reads an interface through our ring until SIGTERM and looks at one byte of each
// packet, or at its headers.
func bare(name string, ring int, headers bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	i, err := afpacket.Open(afpacket.Config{Interface: name, Bytes: ring << 20})
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "listening to", name)
	src := i.Sources()[0]
	var b capture.Batch
	sum := 0
	d := decode.New(decode.Config{})
	var seg decode.Segment
	for ctx.Err() == nil {
		if err := src.Next(&b); err != nil {
			return err
		}
		for k := range b.Packets {
			sum += int(b.Packets[k].Data[0])
			if headers {
				sum += int(d.Decode(&b.Packets[k], &seg))
			}
		}
	}
	fmt.Fprintf(os.Stderr, "%d packets, %d dropped (%d)\n", src.Stats().Packets, src.Stats().Dropped, sum)
	return i.Close()
}

// dropAll drops every packet in the driver until SIGTERM: the least that one costs.
func dropAll(name string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	dev, err := net.InterfaceByName(name)
	if err != nil {
		return err
	}
	const drop = 1
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.XDP, License: "Apache-2.0", Instructions: asm.Instructions{
		asm.Mov.Imm(asm.R0, drop), asm.Return(),
	}})
	if err != nil {
		return err
	}
	l, err := link.AttachXDP(link.XDPOptions{Program: prog, Interface: dev.Index, Flags: link.XDPDriverMode})
	if err != nil {
		return fmt.Errorf("attaching to the driver: %w", err)
	}
	fmt.Fprintln(os.Stderr, "listening to", name)
	<-ctx.Done()
	return errors.Join(l.Close(), prog.Close())
}
