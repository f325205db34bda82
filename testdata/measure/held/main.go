// Command held tells what holding bulk back in the kernel saves. It makes a network
// namespace with a veth pair whose receiving side runs in a kernel thread of its own,
// sends made traffic, and has readers take turns. For each it prints the time that the
// kernel thread and the reader used for a packet that arrived, and what was lost: CPU
// time of those threads only, less what a reader uses without traffic, so that other load
// on the machine matters little. It needs
// root, iproute2, ethtool and tcpdump.
//
//	go build -o bin/ ./testdata/measure/held ./cmd/telltale
//	bin/held -telltale bin/telltale
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

const namespace = "telltale-held"

func main() {
	send := flag.String("send", "", "send this kind of traffic (used by held itself)")
	packets := flag.Int("packets", 2000000, "packets of each turn")
	rounds := flag.Int("rounds", 5, "turns of each reader")
	ring := flag.Int("ring", 4, "MiB of ring for every reader")
	telltale := flag.String("telltale", "bin/telltale", "the program measured")
	flag.Parse()
	err := error(nil)
	if *send != "" {
		err = transmit(*send, *packets)
	} else {
		err = compare(*telltale, *packets, *rounds, *ring)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "held:", err)
		os.Exit(1)
	}
}

// frames returns made traffic: 64 connections of 1,000-byte segments, of which one
// packet in so many is of interest: a DNS question or the begin of a connection.
func frames(kind string) [][]byte {
	every := map[string]int{"bulk": 64, "mixed": 4}[kind]
	random := rand.New(rand.NewPCG(1, 2))
	var all [][]byte
	for n := range 4096 {
		f := make([]byte, 1014)
		copy(f, []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, byte(n % 64), 10, 0, 1, 1})
		binary.BigEndian.PutUint16(f[16:], 1000)
		copy(f[34:], []byte{1, 0xbb, 0x9c, byte(n % 64)})
		binary.BigEndian.PutUint32(f[38:], 0x10000000+uint32(n)*100_003)
		f[46], f[47] = 0x80, 0x10
		for i := 66; i < len(f); i++ {
			f[i] = byte(random.Uint32())
		}
		f[66] = 0x90 // no message begins with it
		switch {
		case n%every != 0:
		case n/every%2 == 0:
			f[47] = 2 // SYN
			f = f[:74]
			binary.BigEndian.PutUint16(f[16:], 60)
			binary.BigEndian.PutUint16(f[36:], uint16(random.Uint32()))
		default:
			f = f[:80]
			binary.BigEndian.PutUint16(f[16:], 66)
			f[23] = 17
			copy(f[34:], []byte{byte(random.Uint32()) | 0x80, 1, 0, 53, 0, 46, 0, 0, 1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7})
			copy(f[55:], "example\x03com\x00\x00\x01\x00\x01")
		}
		all = append(all, f)
	}
	return all
}

// transmit sends n packets out of va, as a driver hands them on: by an XDP program that
// redirects test frames, so that the other end has no packet of a socket to copy first.
func transmit(kind string, n int) error {
	index, err := os.ReadFile("/sys/class/net/va/ifindex")
	if err != nil {
		return err
	}
	i, err := strconv.ParseInt(strings.TrimSpace(string(index)), 10, 32)
	if err != nil {
		return err
	}
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.XDP, License: "Apache-2.0", Instructions: asm.Instructions{
		asm.Mov.Imm(asm.R1, int32(i)), asm.Mov.Imm(asm.R2, 0), asm.FnRedirect.Call(), asm.Return(),
	}})
	if err != nil {
		return err
	}
	all := frames(kind)
	const again = 16 // times each frame is sent
	for k := 0; k*again < n; k++ {
		if _, err := prog.Run(&ebpf.RunOptions{Data: all[k%len(all)], Repeat: again, Flags: unix.BPF_F_TEST_XDP_LIVE_FRAMES}); err != nil {
			return err
		}
	}
	return nil
}

// reader is what reads at the other end.
type reader struct {
	name    string
	command []string
	each    []float64 // ns for each packet that arrived
	kernel  []float64
	lost    []string
}

func compare(telltale string, packets, rounds, ring int) error {
	_ = do("ip", "netns", "del", namespace)
	defer func() { _ = do("ip", "netns", "del", namespace) }()
	err := errors.Join(
		do("ip", "netns", "add", namespace),
		do("ip", "-n", namespace, "link", "add", "va", "type", "veth", "peer", "name", "vb"),
		do("ip", "netns", "exec", namespace, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6"),
		do("ip", "-n", namespace, "link", "set", "va", "up"), do("ip", "-n", namespace, "link", "set", "vb", "up"),
		do("ip", "netns", "exec", namespace, "ethtool", "-K", "vb", "gro", "on"),
		do("ip", "netns", "exec", namespace, "sh", "-c", "echo 1 > /sys/class/net/vb/threaded"))
	if err != nil {
		return err
	}
	run := func(args ...string) []string {
		return append([]string{telltale, "run", "-i", "vb", "-j", "1", "--ring", strconv.Itoa(ring), "-o", "/dev/null", "--facts=0", "--prefilter"}, args...)
	}
	readers := []*reader{
		{name: "nobody"},
		{name: "tcpdump -w /dev/null", command: []string{"tcpdump", "-i", "vb", "-n", "-B", strconv.Itoa(ring << 10), "-w", "/dev/null"}},
		{name: "telltale, off", command: run("off")},
		{name: "telltale, cbpf", command: run("cbpf")},
		{name: "telltale, ebpf", command: run("ebpf")},
		{name: "telltale, xdp", command: run("xdp", "--dedicated-mirror")},
	}
	fmt.Printf("%d packets a turn, %d MiB of ring, median (least) of %d turns, ns for each packet\n", packets, ring, rounds)
	for _, kind := range []string{"bulk", "mixed"} {
		for range rounds {
			for _, r := range readers {
				if err := r.turn(kind, packets); err != nil {
					return fmt.Errorf("%s: %w", r.name, err)
				}
			}
		}
		for _, r := range readers {
			fmt.Printf("%s\t%-21s\tkernel %s\tkernel and reader %s\tlost %s\n", kind, r.name, spread(r.kernel), spread(r.each), strings.Join(r.lost, " "))
			*r = reader{name: r.name, command: r.command}
		}
	}
	return nil
}

func spread(v []float64) string {
	slices.Sort(v)
	return fmt.Sprintf("%.0f (%.0f)", v[len(v)/2], v[0])
}

func (r *reader) turn(kind string, packets int) error {
	var text bytes.Buffer
	pid := 0
	var cmd *exec.Cmd
	if r.command != nil {
		cmd = exec.Command("ip", append([]string{"netns", "exec", namespace}, r.command...)...)
		cmd.Stderr = &text
		if err := cmd.Start(); err != nil {
			return err
		}
		pid = cmd.Process.Pid
		time.Sleep(5 * time.Second) // until it has loaded what it needs
	}
	began, before := time.Now(), used(pid)
	time.Sleep(2 * time.Second)
	idle := float64(used(pid)-before) / time.Since(began).Seconds()
	began, before = time.Now(), used(pid)
	beforeKernel, arrived := used(napi()), received()
	if err := do("ip", "netns", "exec", namespace, os.Args[0], "-send", kind, "-packets", strconv.Itoa(packets)); err != nil {
		return err
	}
	time.Sleep(time.Second)
	n := float64(received() - arrived)
	kernel := float64(used(napi())-beforeKernel) / n
	r.kernel = append(r.kernel, kernel)
	r.each = append(r.each, kernel+(float64(used(pid)-before)-idle*time.Since(began).Seconds())/n)
	if cmd == nil {
		return nil
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, text.String())
	}
	r.lost = append(r.lost, dropped(text.String()))
	return nil
}

// dropped finds what a reader says it lost in its ring.
func dropped(text string) string {
	for line := range strings.Lines(text) {
		if before, _, ok := strings.Cut(line, " dropped by"); ok {
			f := strings.Fields(strings.TrimSuffix(before, " packets"))
			return f[len(f)-1]
		}
	}
	return "?"
}

// used returns the nanoseconds that the threads of a process ran.
func used(pid int) (sum int64) {
	if pid == 0 {
		return 0
	}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, t := range tasks {
		b, _ := os.ReadFile(t)
		if f := strings.Fields(string(b)); len(f) > 0 {
			n, _ := strconv.ParseInt(f[0], 10, 64)
			sum += n
		}
	}
	return sum
}

// napi returns the number of the kernel thread that receives on vb.
func napi() int {
	all, _ := filepath.Glob("/proc/[0-9]*/comm")
	for _, name := range all {
		b, _ := os.ReadFile(name)
		if strings.HasPrefix(string(b), "napi/vb-") {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			return pid
		}
	}
	return 0
}

func received() int64 {
	out, _ := exec.Command("ip", "netns", "exec", namespace, "cat", "/sys/class/net/vb/statistics/rx_packets").Output()
	n, _ := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	return n
}

func do(args ...string) error {
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}
