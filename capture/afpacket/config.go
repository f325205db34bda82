package afpacket

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/net/bpf"
)

// Any is the interface name that stands for all interfaces at once.
const Any = "any"

// Config says what is captured and how. Apart from Interface the zero value of a field
// means its default.
type Config struct {
	// Interface is the name of a network interface, or Any.
	Interface string
	// Rings is the number of rings, one for each worker. Default 1.
	Rings int
	// Bytes is the memory of all rings of the interface together. Default 64 MiB.
	Bytes int
	// Latency is how long a packet may lie in a block that is not full. Default 20 ms.
	Latency time.Duration
	// Wait is after what time Next returns although no packet came. Default 100 ms.
	Wait time.Duration
	// Quiet leaves the interface as it is instead of making it promiscuous.
	Quiet bool
	// Inbound leaves out what this host sends itself.
	Inbound bool
	// AdapterTime asks the network adapter for time stamps; the kernel's stand in for
	// those it does not give. It needs CAP_NET_ADMIN.
	AdapterTime bool
	// Steering deals packets out to the rings.
	Steering Steering
	// Filter is a classic BPF program that says which packets enter the ring; none
	// passes all.
	Filter []bpf.RawInstruction
	// Attach, if set, is called with each socket before it is bound, after Filter was
	// attached: to attach another kind of program, for instance.
	Attach func(fd int) error
}

const (
	minRing  = 1 << 20
	maxBytes = 64 << 30
	minBlock = 256 << 10 // holds the largest frame, 64 KiB and headers, several times
	maxBlock = 1 << 20
	maxRings = 64
)

func (c Config) withDefaults() Config {
	if c.Rings == 0 {
		c.Rings = 1
	}
	if c.Bytes == 0 {
		c.Bytes = max(64<<20, c.Rings*minRing)
	}
	if c.Latency == 0 {
		c.Latency = 20 * time.Millisecond
	}
	if c.Wait == 0 {
		c.Wait = 100 * time.Millisecond
	}
	return c
}

// Validate returns all that is wrong with c, nil if nothing is.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("capture: "+format, args...))
		}
	}
	check(c.Interface != "" && len(c.Interface) < 16, "%q is no interface name: name one of 1 to 15 characters, or %q", c.Interface, Any)
	check(c.Rings >= 1 && c.Rings <= maxRings, "rings must be 1 to %d, not %d", maxRings, c.Rings)
	check(c.Bytes >= c.Rings*minRing && c.Bytes <= maxBytes, "ring memory must be at least %d MiB for each of %d rings and at most %d GiB", minRing>>20, c.Rings, maxBytes>>30)
	check(c.Latency >= time.Millisecond && c.Latency <= time.Second, "latency must be 1 ms to 1 s, not %v", c.Latency)
	check(c.Wait >= time.Millisecond && c.Wait <= time.Second, "the wait of a read must be 1 ms to 1 s, not %v", c.Wait)
	check(!c.AdapterTime || c.Interface != Any, "time stamps of the adapter need an interface by name, not %q", Any)
	check(len(c.Filter) <= 4096, "the filter has %d instructions, the kernel takes 4096", len(c.Filter))
	return errors.Join(errs...)
}

// blocks returns size and number of the blocks of each ring.
func (c Config) blocks() (size, n int) {
	each := c.Bytes / c.Rings
	size = minBlock
	for size < maxBlock && each/(2*size) >= 16 {
		size *= 2
	}
	return size, each / size
}
