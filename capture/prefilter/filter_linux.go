package prefilter

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Filter is a prefilter that was loaded. It may be used by several goroutines and on
// several sockets, which share its memory.
type Filter struct {
	mode    Mode
	why     string
	maps    *maps         // nil but for EBPF and XDP
	program *ebpf.Program // the same
	classic []bpf.RawInstruction
	links   []link.Link
}

// Open loads a prefilter. With Auto it never fails for want of a right: what it fell
// back to, and why, is what Mode and Why say. Any other mode fails if it cannot be had.
func Open(conf Config) (*Filter, error) {
	if err := conf.Validate(); err != nil {
		return nil, err
	}
	conf = conf.withDefaults()
	switch conf.Mode {
	case Off:
		return &Filter{mode: Off, why: "as asked for"}, nil
	case CBPF:
		return openClassic("as asked for")
	}
	f, err := openExtended(conf)
	if err == nil {
		return f, nil
	}
	err = fmt.Errorf("prefilter %s: %w%s", conf.Mode, err, remedy(err, conf.Mode))
	if conf.Mode != Auto {
		return nil, err
	}
	return openClassic(err.Error())
}

func openClassic(why string) (*Filter, error) {
	code, err := Classic()
	if err != nil {
		return nil, err
	}
	return &Filter{mode: CBPF, why: why, classic: code}, nil
}

func openExtended(conf Config) (*Filter, error) {
	m, err := newMaps(conf)
	if err != nil {
		return nil, err
	}
	f := &Filter{mode: EBPF, maps: m}
	if conf.Mode == XDP {
		f.mode = XDP
	}
	if f.program, err = newProgram(m, conf, conf.Mode == XDP); err != nil {
		m.close()
		return nil, err
	}
	f.why = interpreted()
	return f, nil
}

// Mode returns what was loaded, never Auto.
func (f *Filter) Mode() Mode { return f.mode }

// Why says why it is that mode and not a better one, or what slows it; empty if there
// is nothing to say.
func (f *Filter) Why() string { return f.why }

// Attach makes the socket fd, which must capture Ethernet from the link layer on, keep
// only what passes. It takes the place of any other filter of the socket and belongs
// before bind. With Off and XDP it does nothing.
func (f *Filter) Attach(fd int) error {
	var err error
	switch f.mode {
	case EBPF:
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ATTACH_BPF, f.program.FD())
	case CBPF:
		list := make([]unix.SockFilter, len(f.classic))
		for i, c := range f.classic {
			list[i] = unix.SockFilter{Code: c.Op, Jt: c.Jt, Jf: c.Jf, K: c.K}
		}
		err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(list)), Filter: &list[0]})
	}
	if err != nil {
		return fmt.Errorf("attaching the %s prefilter to the capture socket: %w: start with --prefilter off", f.mode, err)
	}
	return nil
}

// AttachXDP drops in the driver of an interface what does not pass: nothing else on
// this machine gets it then. It refuses an interface that the machine itself uses.
// native says whether the driver runs the program itself.
func (f *Filter) AttachXDP(name string, index int) (native bool, err error) {
	if f.mode != XDP {
		return false, fmt.Errorf("attaching to %s: the prefilter is %s, not xdp", name, f.mode)
	}
	if err := dedicated(name); err != nil {
		return false, err
	}
	for _, flags := range []link.XDPAttachFlags{link.XDPDriverMode, link.XDPGenericMode} {
		var l link.Link
		if l, err = link.AttachXDP(link.XDPOptions{Program: f.program, Interface: index, Flags: flags}); err == nil {
			f.links = append(f.links, l)
			return flags == link.XDPDriverMode, nil
		}
	}
	return false, fmt.Errorf("attaching the prefilter to the driver of %s: %w%s", name, err, remedy(err, XDP))
}

// Tick tells the time of the packets that arrive, in nanoseconds since 1970: one packet
// of each kind passes in every Epoch. It costs nothing within an epoch. Call it at
// least once an Epoch while packets may arrive, and before the first.
func (f *Filter) Tick(now int64) error {
	if f.maps == nil {
		return nil
	}
	return f.maps.tick(now)
}

// Watch makes addrs the addresses whose held-back packets are counted apart, and keeps
// the counts of those that were watched before. It counts as many as Config.Vendors.
func (f *Filter) Watch(addrs []netip.Addr) error {
	if f.maps == nil {
		return nil
	}
	return f.maps.watch(addrs)
}

// Counts returns what passed and what was held back. ok is false where the mode counts
// nothing.
func (f *Filter) Counts() (all Counts, ok bool, err error) {
	if f.maps == nil {
		return all, false, nil
	}
	all, err = f.maps.totals()
	return all, err == nil, err
}

// Watched returns what was held back of each watched address, both directions together.
func (f *Filter) Watched() (map[netip.Addr]Count, error) {
	if f.maps == nil {
		return nil, nil
	}
	return f.maps.seen()
}

// Close detaches the program from interfaces and gives its memory back. A socket keeps
// its filter until it is closed.
func (f *Filter) Close() error {
	var errs []error
	for _, l := range f.links {
		errs = append(errs, l.Close())
	}
	if f.program != nil {
		errs = append(errs, f.program.Close())
	}
	if f.maps != nil {
		f.maps.close()
	}
	return errors.Join(errs...)
}
