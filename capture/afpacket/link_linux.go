package afpacket

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// lookUp asks the kernel for the state of the interface of that name.
func lookUp(name string) (Link, error) {
	if name == Any {
		return Link{Present: true, Up: true}, nil
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return Link{}, fmt.Errorf("asking for the interface: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return Link{}, fmt.Errorf("asking for the interface: %w", err)
	}
	switch err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr); {
	case errors.Is(err, unix.ENODEV):
		return Link{}, nil
	case err != nil:
		return Link{}, fmt.Errorf("asking for the interface: %w", err)
	}
	l := Link{Index: int(ifr.Uint32()), Present: true}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, ifr); err != nil {
		return Link{}, nil // it went away in between
	}
	const ready = unix.IFF_UP | unix.IFF_RUNNING
	l.Up = ifr.Uint16()&ready == ready
	return l, nil
}

const classNet = "/sys/class/net"

// names returns the names of all interfaces.
func names() ([]string, error) {
	list, err := os.ReadDir(classNet)
	if err != nil {
		return nil, fmt.Errorf("listing the interfaces: %w", err)
	}
	var all []string
	for _, d := range list {
		all = append(all, d.Name())
	}
	return append(all, Any), nil
}

// Counters returns what the interface itself counts, false if that cannot be told: for
// Any, or where /sys shows the interfaces of another network namespace.
func (i *Interface) Counters() (Counters, bool) {
	read := func(file string) (uint64, bool) {
		b, err := os.ReadFile(filepath.Join(classNet, i.conf.Interface, file))
		if err != nil {
			return 0, false
		}
		n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
		return n, err == nil
	}
	l, err := lookUp(i.conf.Interface)
	if index, ok := read("ifindex"); err != nil || l.Index == 0 || !ok || index != uint64(l.Index) {
		return Counters{}, false
	}
	var c Counters
	for _, f := range []struct {
		sum  *uint64
		file string
	}{
		{&c.Received, "rx_packets"},
		{&c.Missed, "rx_missed_errors"},
		{&c.Missed, "rx_fifo_errors"},
		{&c.Missed, "rx_over_errors"},
		{&c.Missed, "rx_dropped"},
		{&c.Errors, "rx_errors"},
	} {
		n, _ := read(filepath.Join("statistics", f.file))
		*f.sum += n
	}
	return c, true
}

// Pin binds the calling goroutine's thread, which it must have locked, to the n-th of
// the processors this process may use, counted round.
func Pin(n int) error {
	var set, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return fmt.Errorf("asking for the processors: %w", err)
	}
	var cpus []int
	for c := range 1024 {
		if set.IsSet(c) {
			cpus = append(cpus, c)
		}
	}
	if len(cpus) == 0 {
		return errors.New("binding a worker to a processor: none is known")
	}
	one.Set(cpus[n%len(cpus)])
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("binding a worker to processor %d: %w", cpus[n%len(cpus)], err)
	}
	return nil
}
