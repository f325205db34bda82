package afpacket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"telltale/capture"
)

var pairs atomic.Int32

// pair makes a network namespace with the interfaces va and vb and puts this goroutine
// into it until the end of the test: vb is 10.78.0.2 and knows where 10.78.0.1 is.
func pair(t *testing.T) {
	t.Helper()
	if testing.Short() || os.Geteuid() != 0 {
		t.Skip("NOT RUN: network namespaces need root, and live traffic a machine that keeps up")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("NOT RUN: ip is missing: apt-get install iproute2")
	}
	name := fmt.Sprintf("ttring%d-%d", os.Getpid(), pairs.Add(1))
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		t.Skipf("NOT RUN: no network namespaces here: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
	for _, line := range []string{
		"link add va type veth peer name vb", "link set va up", "link set vb up",
		"address add 10.78.0.2/24 dev vb", "neighbour add 10.78.0.1 lladdr 02:00:00:00:00:01 dev vb",
	} {
		if out, err := exec.Command("ip", append([]string{"-n", name}, strings.Fields(line)...)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", line, err, out)
		}
	}
	runtime.LockOSThread() // and never unlocked: the thread ends with the test
	fd, err := unix.Open("/var/run/netns/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		err = unix.Setns(fd, unix.CLONE_NEWNET)
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = unix.Close(fd)
}

// shared opens vb with four rings that share it in one way.
func shared(t *testing.T, kind int) *Interface {
	t.Helper()
	conf := Config{Interface: "vb", Rings: 4, Bytes: 4 << 20, Steering: Steering{Seed: 1, Shards: 64}}.withDefaults()
	i := &Interface{conf: conf}
	for range conf.Rings {
		i.rings = append(i.rings, newRing(&i.conf))
	}
	l, err := lookUp("vb")
	if err != nil {
		t.Fatal(err)
	}
	list, err := i.sockets(l.Index, kind)
	if errors.Is(err, os.ErrPermission) {
		t.Skipf("NOT RUN IN THE KERNEL: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for n, s := range list {
		i.rings[n].replace(s)
	}
	t.Cleanup(func() { _ = i.Close() })
	return i
}

// TestDirectionsMeet: what comes in and what goes out of a flow is read from one ring,
// whichever program deals out.
func TestDirectionsMeet(t *testing.T) {
	for name, kind := range map[string]int{"ebpf": unix.PACKET_FANOUT_EBPF, "cbpf": unix.PACKET_FANOUT_CBPF} {
		t.Run(name, func(t *testing.T) { directionsMeet(t, kind) })
	}
}

func directionsMeet(t *testing.T, kind int) {
	pair(t)
	i := shared(t, kind)
	const flows = 100
	near, far := netip.MustParseAddr("10.78.0.2"), netip.MustParseAddr("10.78.0.1")
	raw := inject(t, "va")
	for n := range flows {
		port := uint16(20000 + n)
		c, err := net.DialUDP("udp4", &net.UDPAddr{IP: near.AsSlice(), Port: int(port)}, &net.UDPAddr{IP: far.AsSlice(), Port: 4000})
		if err == nil {
			_, err = c.Write([]byte("out"))
			_ = c.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		raw(ethernet(header(far, near, 17, 4000, port, false, 0)))
	}
	rings := map[uint16]map[int]int{} // packets of each flow in each ring
	for n, src := range i.Sources() {
		for _, p := range drain(t, src) {
			if len(p.Data) < 14+24 || p.Data[23] != 17 {
				continue
			}
			port := max(binary.BigEndian.Uint16(p.Data[34:]), binary.BigEndian.Uint16(p.Data[36:]))
			if rings[port] == nil {
				rings[port] = map[int]int{}
			}
			rings[port][n]++
		}
	}
	used := map[int]bool{}
	for port, in := range rings {
		if len(in) != 1 {
			t.Errorf("the flow of port %d is in rings %v", port, in)
		}
		for n, packets := range in {
			used[n] = true
			if packets != 2 {
				t.Errorf("%d packets of the flow of port %d, not one in and one out", packets, port)
			}
		}
	}
	if len(rings) != flows || len(used) != 4 {
		t.Errorf("%d flows in %d rings, want %d in 4", len(rings), len(used), flows)
	}
}

// TestTunnelledDirectionsMeet: the directions of a flow in VXLAN are read from one ring,
// whatever the ports outside, and copies of a packet too.
func TestTunnelledDirectionsMeet(t *testing.T) {
	pair(t)
	i := shared(t, unix.PACKET_FANOUT_EBPF)
	const flows = 100
	a, b := netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr("10.2.0.2")
	switches := [2]netip.Addr{netip.MustParseAddr("10.78.0.1"), netip.MustParseAddr("10.78.0.2")}
	raw := inject(t, "va")
	for n := range flows {
		port := uint16(20000 + n)
		for k, inner := range [][]byte{header(a, b, 6, port, 443, false, 0), header(b, a, 6, 443, port, false, 0), header(b, a, 6, 443, port, false, 0)} {
			outer := header(switches[k%2], switches[1-k%2], 17, uint16(40000+100*k+n), 4789, false, 0)[:24]
			vxlan := []byte{0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 7, 0}
			raw(ethernet(slices.Concat(outer, vxlan, ethernet(inner))))
		}
	}
	rings := map[uint16]map[int]int{}
	for n, src := range i.Sources() {
		for _, p := range drain(t, src) {
			const inner = 14 + 20 + 8 + 8 + 14 + 20
			if len(p.Data) < inner+4 || p.Data[23] != 17 {
				continue
			}
			port := max(binary.BigEndian.Uint16(p.Data[inner:]), binary.BigEndian.Uint16(p.Data[inner+2:]))
			if rings[port] == nil {
				rings[port] = map[int]int{}
			}
			rings[port][n]++
		}
	}
	for port, in := range rings {
		if len(in) != 1 {
			t.Errorf("the flow of port %d is in rings %v", port, in)
		}
	}
	if len(rings) != flows {
		t.Errorf("%d flows, want %d", len(rings), flows)
	}
}

// ethernet puts a header of the link layer before an IPv4 packet.
func ethernet(ip []byte) []byte {
	return append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0}, ip...)
}

// inject returns a function that sends frames out of an interface.
func inject(t *testing.T, name string) func(frame []byte) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	dev, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	to := &unix.SockaddrLinklayer{Ifindex: dev.Index, Protocol: networkOrder(unix.ETH_P_IP)}
	return func(frame []byte) {
		t.Helper()
		if err := unix.Sendto(fd, frame, 0, to); err != nil {
			t.Fatal(err)
		}
	}
}

// drain returns the packets of a ring until none comes for a while.
func drain(t *testing.T, src capture.Source) (all []capture.Packet) {
	t.Helper()
	time.Sleep(50 * time.Millisecond) // until the kernel has closed its block
	for {
		var b capture.Batch
		if err := src.Next(&b); err != nil {
			t.Fatal(err)
		}
		if len(b.Packets) == 0 {
			return all
		}
		all = append(all, b.Packets...)
	}
}
