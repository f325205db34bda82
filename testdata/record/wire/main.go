// Command wire is the switch of the recording laboratory: it joins two tap (or tun)
// devices, each in a network namespace of its own, and copies every frame to a third
// one, as a switch does to its SPAN port. It adds 802.1Q and 802.1ad tags to the copy,
// so a trunk can be recorded on a kernel without VLAN devices.
//
//	wire -a NAMESPACE:DEVICE -b NAMESPACE:DEVICE [-span NAMESPACE:DEVICE] [-vlan ID] [-outer ID] [-tun]
//
// It runs until it is ended by a signal. It needs root.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
)

// maxFrame is the longest frame copied, in bytes; the devices' MTU is far below.
const maxFrame = 16 << 10

// options are the flags.
type options struct {
	a, b, span  string
	vlan, outer uint
	tun         bool
}

func main() {
	var o options
	flag.StringVar(&o.a, "a", "", "device on one side, as NAMESPACE:DEVICE")
	flag.StringVar(&o.b, "b", "", "device on the other side, as NAMESPACE:DEVICE")
	flag.StringVar(&o.span, "span", "", "device that gets a copy of every frame, as NAMESPACE:DEVICE")
	flag.UintVar(&o.vlan, "vlan", 0, "802.1Q VLAN id of the copies, 0 for none")
	flag.UintVar(&o.outer, "outer", 0, "802.1ad service VLAN id of the copies, 0 for none")
	flag.BoolVar(&o.tun, "tun", false, "the devices carry IP packets without Ethernet headers")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "wire:", err)
		os.Exit(1)
	}
}

// run opens the devices and copies until one of them fails.
func run(o options) error {
	if o.tun && (o.vlan|o.outer) != 0 {
		return errors.New("a tun device has no VLAN tags: leave out -vlan and -outer")
	}
	a, err := openDevice(o.a, o.tun)
	if err != nil {
		return err
	}
	b, err := openDevice(o.b, o.tun)
	if err != nil {
		return err
	}
	m := &mirror{tags: tags(o.vlan, o.outer)}
	if o.span != "" {
		if m.to, err = openDevice(o.span, o.tun); err != nil {
			return err
		}
	}
	failed := make(chan error, 2)
	go func() { failed <- pump(a, b, m) }()
	go func() { failed <- pump(b, a, m) }()
	return <-failed
}

// pump copies frames from one device to the other and to the mirror. The mirror is
// written first, so an answer is never recorded before its question.
func pump(from, to *os.File, m *mirror) error {
	buf := make([]byte, maxFrame)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return fmt.Errorf("reading %s: %w", from.Name(), err)
		}
		if err := m.copy(buf[:n]); err != nil {
			return err
		}
		// A device that is down loses the frame, as a cable would.
		_, _ = to.Write(buf[:n])
	}
}

// mirror is the SPAN port.
type mirror struct {
	mu   sync.Mutex // one frame at a time, in the order of their copying
	to   *os.File   // nil where there is none
	tags []byte
	buf  []byte
}

// copy writes frame, with the tags put behind its addresses (IEEE 802.1Q §9.3).
func (m *mirror) copy(frame []byte) error {
	const addresses = 12
	if m.to == nil || len(frame) < addresses {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.buf = append(m.buf[:0], frame[:addresses]...)
	m.buf = append(m.buf, m.tags...)
	m.buf = append(m.buf, frame[addresses:]...)
	if _, err := m.to.Write(m.buf); err != nil {
		return fmt.Errorf("writing %s: %w", m.to.Name(), err)
	}
	return nil
}

// tags returns the tags for the two VLAN ids, the outer one first; 0 stands for none.
func tags(vlan, outer uint) []byte {
	var t []byte
	if outer != 0 {
		t = append(t, 0x88, 0xa8, byte(outer>>8)&0x0f, byte(outer))
	}
	if vlan != 0 {
		t = append(t, 0x81, 0x00, byte(vlan>>8)&0x0f, byte(vlan))
	}
	return t
}
