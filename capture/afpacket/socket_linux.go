package afpacket

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// socket is one AF_PACKET socket with its ring.
type socket struct {
	fd        int
	mem       []byte
	blockSize int
	taken     []bool // blocks that a batch points into
	out       int    // how many those are
	next      int    // block to be read next
	closed    bool
}

// frameSize only tells the kernel how many frames there could be; they are as long as
// they are.
const frameSize = 2048

// openSocket opens a socket on the interface of that index, 0 for all, in the order
// that lets nothing in before the filter is attached and the ring is there.
func openSocket(c *Config, index int) (_ *socket, err error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening a packet socket: %w", err)
	}
	size, n := c.blocks()
	s := &socket{fd: fd, blockSize: size, taken: make([]bool, n)}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if err := s.mapRing(c); err != nil {
		return nil, err
	}
	if err := s.restrict(c); err != nil {
		return nil, err
	}
	to := unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: index}
	if err := unix.Bind(fd, &to); err != nil {
		return nil, fmt.Errorf("binding to the interface: %w", err)
	}
	if !c.Quiet && index != 0 {
		m := unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC}
		if err := unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &m); err != nil {
			return nil, fmt.Errorf("making the interface promiscuous: %w", err)
		}
	}
	return s, nil
}

func networkOrder(v uint16) uint16 { return v<<8 | v>>8 }

// mapRing sets up the ring and maps it.
func (s *socket) mapRing(c *Config) error {
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("asking for TPACKET_V3, which Linux has from 3.2 on: %w", err)
	}
	n := len(s.taken)
	req := unix.TpacketReq3{
		Block_size: uint32(s.blockSize), Block_nr: uint32(n),
		Frame_size: frameSize, Frame_nr: uint32(s.blockSize / frameSize * n),
		Retire_blk_tov: uint32(c.Latency / time.Millisecond),
	}
	if err := unix.SetsockoptTpacketReq3(s.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return fmt.Errorf("setting up a ring of %d MiB, which may be more than the kernel has free: make it smaller: %w", s.blockSize*n>>20, err)
	}
	mem, err := unix.Mmap(s.fd, 0, s.blockSize*n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("mapping the ring: %w", err)
	}
	s.mem = mem
	return nil
}

// restrict sets what decides which packets enter, and their time stamps.
func (s *socket) restrict(c *Config) error {
	if len(c.Filter) > 0 {
		if err := s.filter(unix.SO_ATTACH_FILTER, unix.SOL_SOCKET, c.Filter); err != nil {
			return fmt.Errorf("attaching the capture filter: %w", err)
		}
	}
	if c.Attach != nil {
		if err := c.Attach(s.fd); err != nil {
			return err
		}
	}
	if c.Inbound {
		if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1); err != nil {
			return fmt.Errorf("leaving out outgoing packets, which Linux can from 4.20 on: %w", err)
		}
	}
	if c.AdapterTime {
		return s.adapterTime(c.Interface)
	}
	return nil
}

func (s *socket) adapterTime(name string) error {
	conf := unix.HwTstampConfig{Rx_filter: unix.HWTSTAMP_FILTER_ALL}
	err := unix.IoctlSetHwTstamp(s.fd, name, &conf)
	switch {
	case errors.Is(err, unix.EPERM):
		return &PermissionError{fmt.Errorf("asking the adapter for time stamps: %w", err), []string{"CAP_NET_RAW", "CAP_NET_ADMIN"}}
	case err != nil:
		return fmt.Errorf("asking the adapter for time stamps: %w: its driver has none for all packets, so leave out --adapter-time", err)
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_TIMESTAMP, unix.SOF_TIMESTAMPING_RAW_HARDWARE); err != nil {
		return fmt.Errorf("asking for the adapter's time stamps: %w", err)
	}
	return nil
}

// filter hands a classic BPF program to a socket option.
func (s *socket) filter(option, level int, code []bpf.RawInstruction) error {
	list := make([]unix.SockFilter, len(code))
	for i, c := range code {
		list[i] = unix.SockFilter{Code: c.Op, Jt: c.Jt, Jf: c.Jf, K: c.K}
	}
	return unix.SetsockoptSockFprog(s.fd, level, option, &unix.SockFprog{Len: uint16(len(list)), Filter: &list[0]})
}

// stop lets no further packet in; what is in the ring can still be read.
func (s *socket) stop() error {
	raw, err := bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: 0}})
	if err == nil {
		err = s.filter(unix.SO_ATTACH_FILTER, unix.SOL_SOCKET, raw)
	}
	if err != nil {
		return fmt.Errorf("stopping the capture: %w", err)
	}
	return nil
}

// newGroup is no id of a group: 0 is one, the first that the kernel gives.
const newGroup = -1

// attach returns what gives a new group of sockets the program that deals packets out,
// and what is to be done when it has it.
func (s Steering) attach(kind int) (to func(*socket) error, release func(), err error) {
	nothing := func() {}
	switch kind {
	case unix.PACKET_FANOUT_EBPF:
		p, err := newDealing(s)
		if err != nil {
			return nil, nothing, err
		}
		to = func(k *socket) error {
			return unix.SetsockoptInt(k.fd, unix.SOL_PACKET, unix.PACKET_FANOUT_DATA, p.FD())
		}
		return to, func() { _ = p.Close() }, nil // the group holds it
	case unix.PACKET_FANOUT_CBPF:
		code, err := s.Program()
		return func(k *socket) error { return k.filter(unix.PACKET_FANOUT_DATA, unix.SOL_PACKET, code) }, nothing, err
	}
	return func(*socket) error { return nil }, nothing, nil
}

// join adds the socket to a group, or to a new one, which it shares as share says, and
// returns the id of the group.
func (s *socket) join(id, kind int, share func(*socket) error) (int, error) {
	arg := id | kind<<16
	if id == newGroup {
		arg = (kind | unix.PACKET_FANOUT_FLAG_UNIQUEID) << 16
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_FANOUT, arg); err != nil {
		return 0, fmt.Errorf("sharing the interface among workers: %w", err)
	}
	if id != newGroup {
		return id, nil
	}
	if err := share(s); err != nil {
		return 0, fmt.Errorf("attaching the program that deals packets out: %w", err)
	}
	got, err := unix.GetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_FANOUT)
	if err != nil {
		return 0, fmt.Errorf("asking for the number of the group: %w", err)
	}
	return got & 0xffff, nil
}

// poll waits until there may be a block to read. What is wrong with the interface ends
// the wait; it is Check's to find out.
func (s *socket) poll(wait time.Duration) error {
	fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
	_, err := unix.Poll(fds, int(wait/time.Millisecond))
	if err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("waiting for packets: %w", err)
	}
	if fds[0].Revents&unix.POLLERR == 0 {
		return nil
	}
	code, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 && unix.Errno(code) != unix.ENETDOWN {
		err = unix.Errno(code)
	}
	if err != nil {
		return fmt.Errorf("capturing: %w", err)
	}
	return errDown
}

// errDown is what poll returns when the interface is down or gone.
var errDown = errors.New("interface is down")

// close gives the socket back, and the ring once no batch points into it.
func (s *socket) close() {
	if s.closed {
		return
	}
	s.closed = true
	// Nothing was written, so there is nothing that closing could lose.
	_ = unix.Close(s.fd)
	s.unmap()
}

func (s *socket) unmap() {
	if s.closed && s.out == 0 && s.mem != nil {
		_ = unix.Munmap(s.mem)
		s.mem = nil
	}
}
