package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// openDevice attaches to the tap or tun device that place names as NAMESPACE:DEVICE.
// It makes the device if there is none. Frames are read and written one at a time.
func openDevice(place string, tun bool) (*os.File, error) {
	namespace, name, ok := strings.Cut(place, ":")
	if !ok {
		return nil, fmt.Errorf("device %q: write it as NAMESPACE:DEVICE", place)
	}
	mode := uint16(unix.IFF_TAP)
	if tun {
		mode = unix.IFF_TUN
	}
	type result struct {
		fd  int
		err error
	}
	done := make(chan result)
	go func() {
		// A namespace belongs to a thread: this one is not unlocked, so it ends with
		// the goroutine and nothing else runs in the namespace by mistake.
		runtime.LockOSThread()
		fd, err := attach(namespace, name, mode|unix.IFF_NO_PI)
		done <- result{fd, err}
	}()
	r := <-done
	if r.err != nil {
		return nil, fmt.Errorf("opening %s: %w", place, r.err)
	}
	return os.NewFile(uintptr(r.fd), place), nil
}

// attach enters the namespace and returns a non-blocking descriptor of the device.
func attach(namespace, name string, flags uint16) (fd int, err error) {
	ns, err := unix.Open(filepath.Join("/run/netns", namespace), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer func() { _ = unix.Close(ns) }()
	if err := unix.Setns(ns, unix.CLONE_NEWNET); err != nil {
		return -1, fmt.Errorf("entering the namespace: %w", err)
	}
	fd, err = unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(flags)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}
