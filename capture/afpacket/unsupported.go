//go:build !linux

package afpacket

import (
	"errors"

	"telltale/capture"
)

// Interface stands for what other systems than Linux do not have.
type Interface struct{}

// errLinux is what everything here returns.
var errLinux = errors.New("live capture from interfaces is for Linux: capture with tcpdump and use telltale run -r")

// Open returns an error.
func Open(Config) (*Interface, error) { return nil, errLinux }

// Sources returns none.
func (*Interface) Sources() []capture.Source { return nil }

// Name returns nothing.
func (*Interface) Name() string { return "" }

// Dealing returns nothing.
func (*Interface) Dealing() string { return "" }

// Check returns an error.
func (*Interface) Check() (Link, error) { return Link{}, errLinux }

// Counters returns none.
func (*Interface) Counters() (Counters, bool) { return Counters{}, false }

// Stop does nothing.
func (*Interface) Stop() error { return nil }

// Close does nothing.
func (*Interface) Close() error { return nil }

// Pin returns an error.
func Pin(int) error { return errLinux }
