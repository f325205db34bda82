//go:build !linux

package prefilter

import (
	"errors"
	"net/netip"
)

// Filter is a prefilter that was loaded. Only Linux has one.
type Filter struct{}

var errSystem = errors.New("prefilter: only Linux has one: start with --prefilter off")

// Open returns a Filter that passes everything, or an error if another was asked for.
func Open(conf Config) (*Filter, error) {
	if conf.Mode != Auto && conf.Mode != Off {
		return nil, errSystem
	}
	return &Filter{}, conf.Validate()
}

// Mode returns Off.
func (f *Filter) Mode() Mode { return Off }

// Why says that only Linux has a prefilter.
func (f *Filter) Why() string { return errSystem.Error() }

// Attach does nothing.
func (f *Filter) Attach(int) error { return nil }

// AttachXDP is refused.
func (f *Filter) AttachXDP(string, int) (bool, error) { return false, errSystem }

// Tick does nothing.
func (f *Filter) Tick(int64) error { return nil }

// Watch does nothing.
func (f *Filter) Watch([]netip.Addr) error { return nil }

// Counts returns that nothing is counted.
func (f *Filter) Counts() (all Counts, ok bool, err error) { return all, false, nil }

// Watched returns nothing.
func (f *Filter) Watched() (map[netip.Addr]Count, error) { return nil, nil }

// Close does nothing.
func (f *Filter) Close() error { return nil }
