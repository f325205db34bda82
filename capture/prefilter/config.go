package prefilter

import (
	"errors"
	"fmt"
	"math/bits"
)

// Defaults of the fields of Config of the same names.
const (
	Window  = 16 << 10
	Vendors = 4096
)

// Config says what passes. The zero value of a field means its default.
type Config struct {
	// Mode is what is attached. Default Auto.
	Mode Mode
	// Rules say which ports and first bytes always pass. Default DefaultRules.
	Rules *Rules
	// Window is the bytes that pass at the beginning of each direction of a TCP
	// connection and after each segment that looks like the beginning of a message.
	// Default Window.
	Window uint32
	// Flows is the number of directions of flows remembered, a power of two; a new one
	// takes the place of an old one, whose next packet passes again. Default 524,288,
	// which is 8 MiB.
	Flows int
	// Vendors is the number of addresses that can be counted apart. Default Vendors.
	Vendors int
	// Seed keys the hash of flows against crafted collisions. Live capture sets it at
	// random.
	Seed uint64
}

func (c Config) withDefaults() Config {
	if c.Rules == nil {
		c.Rules = DefaultRules()
	}
	if c.Window == 0 {
		c.Window = Window
	}
	if c.Flows == 0 {
		c.Flows = 1 << 19
	}
	if c.Vendors == 0 {
		c.Vendors = Vendors
	}
	return c
}

// Validate returns all that is wrong with c, nil if nothing is.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("prefilter: "+format, args...))
		}
	}
	check(c.Mode < modeCount, "unknown mode %d", c.Mode)
	check(c.Window >= 1024 && c.Window <= 1<<20, "the window must be 1 KiB to 1 MiB, not %d bytes", c.Window)
	check(c.Flows >= ways && c.Flows <= 1<<26 && bits.OnesCount(uint(c.Flows)) == 1, "flows must be a power of two up to 67,108,864, not %d", c.Flows)
	check(c.Vendors >= 1 && c.Vendors <= 1<<20, "vendors must be 1 to 1,048,576, not %d", c.Vendors)
	return errors.Join(errs...)
}
