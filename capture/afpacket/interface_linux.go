package afpacket

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"telltale/capture"
)

// Interface captures from one network interface, or all, into one ring for each worker.
type Interface struct {
	conf   Config
	rings  []*Ring
	index  int  // of the interface that the sockets are bound to
	opened bool // there are sockets

	dealing atomic.Pointer[string] // nil until several rings were opened
}

// Open opens the interface. One that is down is taken; it is captured from as soon as
// it comes up.
func Open(conf Config) (*Interface, error) {
	if err := conf.Validate(); err != nil {
		return nil, err
	}
	i := &Interface{conf: conf.withDefaults()}
	for range i.conf.Rings {
		i.rings = append(i.rings, newRing(&i.conf))
	}
	l, err := lookUp(i.conf.Interface)
	if err == nil && !l.Present {
		err = errors.New("there is no such interface" + choices())
	}
	if err == nil {
		if err = i.open(l.Index); err != nil && !l.Up {
			err = nil // an old kernel shares no interface that is down: Check tries again
		}
	}
	if err != nil {
		return nil, fmt.Errorf("capturing from %s: %w", i.conf.Interface, advised(err))
	}
	return i, nil
}

func choices() string {
	names, err := names()
	if err != nil || len(names) == 0 {
		return ""
	}
	return ": choose from " + strings.Join(names, ", ")
}

// advised says what to do about a lack of privileges.
func advised(err error) error {
	var denied *PermissionError
	if errors.As(err, &denied) || !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EACCES) {
		return err
	}
	return &PermissionError{err, []string{"CAP_NET_RAW"}}
}

// Sources returns the rings, one for each worker. They stay the same for the life of i.
func (i *Interface) Sources() []capture.Source {
	var all []capture.Source
	for _, r := range i.rings {
		all = append(all, r)
	}
	return all
}

// Name returns the name of the interface.
func (i *Interface) Name() string { return i.conf.Interface }

// Check looks at the interface and opens it anew if it was removed and is back. It is
// to be called about once a second, by one goroutine. The error is of opening it.
func (i *Interface) Check() (Link, error) {
	l, err := lookUp(i.conf.Interface)
	if err != nil || !l.Present || i.opened && l.Index == i.index {
		return l, err
	}
	if err := i.open(l.Index); err != nil {
		return l, fmt.Errorf("capturing from %s again: %w", i.conf.Interface, advised(err))
	}
	l.Opened = true
	return l, nil
}

// open opens a socket for each ring, all or none.
func (i *Interface) open(index int) error {
	list, err := i.sockets(index, unix.PACKET_FANOUT_EBPF)
	dealing := "by innermost addresses and ports (ebpf)"
	if err != nil && len(i.rings) > 1 {
		// Without the right to load programs of that kind, the classic one serves.
		dealing = "by outermost addresses and ports (cbpf): " + err.Error()
		list, err = i.sockets(index, unix.PACKET_FANOUT_CBPF)
	}
	if err != nil && len(i.rings) > 1 && errors.Is(err, unix.EINVAL) {
		// Linux before 4.3 cannot be told how to deal packets out; its own way serves.
		dealing = "by the kernel's own hash: " + err.Error()
		list, err = i.sockets(index, unix.PACKET_FANOUT_HASH)
	}
	if err != nil {
		return err
	}
	for n, s := range list {
		i.rings[n].replace(s)
	}
	i.index, i.opened = index, true
	if len(i.rings) > 1 {
		i.dealing.Store(&dealing)
	}
	return nil
}

// Dealing says how the kernel deals packets out to the rings, and why not in a better
// way; empty if there is one ring, or none yet.
func (i *Interface) Dealing() string {
	if d := i.dealing.Load(); d != nil {
		return *d
	}
	return ""
}

func (i *Interface) sockets(index, kind int) (list []*socket, err error) {
	defer func() {
		if err != nil {
			for _, s := range list {
				s.close()
			}
		}
	}()
	if len(i.rings) == 1 {
		s, err := openSocket(&i.conf, index)
		if err != nil {
			return nil, err
		}
		return []*socket{s}, nil
	}
	share, release, err := i.conf.Steering.attach(kind)
	if err != nil {
		return nil, err
	}
	defer release()
	group := newGroup
	for range i.rings {
		s, err := openSocket(&i.conf, index)
		if err != nil {
			return list, err
		}
		list = append(list, s)
		if group, err = s.join(group, kind, share); err != nil {
			return list, err
		}
	}
	return list, nil
}

// Stop lets no further packet into the rings; what is in them can still be read.
func (i *Interface) Stop() error {
	var errs []error
	for _, r := range i.rings {
		errs = append(errs, r.stop())
	}
	return errors.Join(errs...)
}

// Close closes all rings.
func (i *Interface) Close() error {
	var errs []error
	for _, r := range i.rings {
		errs = append(errs, r.Close())
	}
	return errors.Join(errs...)
}
