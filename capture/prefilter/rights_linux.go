package prefilter

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// remedy says which right or setting is missing where the kernel refused, and how to
// get it.
func remedy(err error, mode Mode) string {
	switch {
	case errors.Is(err, unix.ENOSYS):
		return ": this kernel is built without eBPF"
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOTSUP):
		return ": this kernel is too old for it (Linux 5.3, for xdp 5.18), or its driver has no XDP"
	case errors.Is(err, unix.EBUSY):
		return ": another program is attached there; see 'ip link show'"
	case errors.Is(err, unix.ENOMEM):
		return ": give more locked memory (ulimit -l, LimitMEMLOCK= in the systemd unit)"
	case !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EACCES):
		return ""
	}
	wanted := []capability{{"CAP_BPF", unix.CAP_BPF}}
	if mode == XDP {
		wanted = append(wanted, capability{"CAP_NET_ADMIN", unix.CAP_NET_ADMIN})
	}
	missing := lacking(wanted)
	if len(missing) == 0 {
		return ": the process has the capabilities; a container's seccomp profile or the kernel's lockdown forbids bpf(2)"
	}
	all := strings.ToLower(strings.Join(missing, ","))
	return fmt.Sprintf(": the process lacks %s%s: run 'setcap cap_net_raw,%s+ep' on the program, or set AmbientCapabilities=CAP_NET_RAW %s in its systemd unit",
		strings.Join(missing, " and "), closed(), all, strings.Join(missing, " "))
}

type capability struct {
	name string
	bit  uint
}

// lacking returns the names of the capabilities that the process does not have.
func lacking(wanted []capability) (names []string) {
	effective := uint64(0)
	for line := range strings.Lines(read("/proc/self/status")) {
		if v, ok := strings.CutPrefix(line, "CapEff:"); ok {
			effective, _ = strconv.ParseUint(strings.TrimSpace(v), 16, 64)
		}
	}
	for _, c := range wanted {
		if effective>>c.bit&1 == 0 {
			names = append(names, c.name)
		}
	}
	return names
}

// closed says whether eBPF is closed to users without the capability.
func closed() string {
	if v := read("/proc/sys/kernel/unprivileged_bpf_disabled"); v != "" && v != "0" {
		return ", and kernel.unprivileged_bpf_disabled is " + v
	}
	return ""
}

// interpreted says so if the kernel interprets programs, which costs several times as
// much as compiling them.
func interpreted() string {
	if read("/proc/sys/net/core/bpf_jit_enable") == "0" {
		return "the kernel interprets it, since net.core.bpf_jit_enable is 0: run 'sysctl net.core.bpf_jit_enable=1'"
	}
	return ""
}

func read(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// dedicated returns an error if an interface is one that the machine uses itself: XDP
// would take its traffic away.
func dedicated(name string) error {
	if strings.ContainsAny(name, "/") || name == "" {
		return fmt.Errorf("%q is not the name of an interface: see 'ip link'", name)
	}
	const instead = ": the machine would lose its traffic; mirror to another port, or use --prefilter ebpf"
	if a, err := address4(name); err == nil {
		return fmt.Errorf("%s has the address %s%s", name, a, instead)
	} else if !errors.Is(err, unix.EADDRNOTAVAIL) {
		return fmt.Errorf("asking for the address of %s: %w", name, err)
	}
	for line := range strings.Lines(read("/proc/net/if_inet6") + "\n") {
		f := strings.Fields(line)
		const link = "20" // scope of addresses that every interface gets by itself
		if len(f) == 6 && f[5] == name && f[3] != link {
			return fmt.Errorf("%s has an IPv6 address%s", name, instead)
		}
	}
	dir := filepath.Join("/sys/class/net", name)
	if to, err := os.Readlink(filepath.Join(dir, "master")); err == nil {
		return fmt.Errorf("%s is a part of %s%s", name, filepath.Base(to), instead)
	}
	if upper, _ := filepath.Glob(filepath.Join(dir, "upper_*")); len(upper) > 0 {
		return fmt.Errorf("%s carries %s%s", name, strings.TrimPrefix(filepath.Base(upper[0]), "upper_"), instead)
	}
	return nil
}

// address4 returns the IPv4 address of an interface, unix.EADDRNOTAVAIL if it has none.
func address4(name string) (netip.Addr, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("opening a socket: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	req, err := unix.NewIfreq(name)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("naming the interface: %w", err)
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFADDR, req); err != nil {
		return netip.Addr{}, fmt.Errorf("reading its address: %w", err)
	}
	b, err := req.Inet4Addr()
	if err != nil {
		return netip.Addr{}, fmt.Errorf("reading its address: %w", err)
	}
	a, _ := netip.AddrFromSlice(b)
	return a, nil
}
