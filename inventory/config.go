package inventory

import (
	"errors"
	"fmt"
	"time"

	"telltale/alert"
)

// Policy says what happens when the outbox is at its quota.
type Policy string

// Policies.
const (
	DropOldest Policy = "drop-oldest" // the alerts that wait longest go; the default
	DropNewest Policy = "drop-newest" // what is there stays; new alerts go
	Stop       Policy = "stop"        // the sensor stops, also when the disk is full
)

// Config says where a Store is and how much it may hold. Apart from Dir the zero value
// of a field means its default.
type Config struct {
	// Dir is the directory of the store. It is made if it is missing.
	Dir string
	// Maker makes the gaps, which come from the Store itself.
	Maker alert.Maker
	// MaxAlerts and MaxBytes are the quota of the outbox. Defaults 1,000,000 and 1 GiB.
	MaxAlerts, MaxBytes int64
	// Policy says what happens at the quota.
	Policy Policy
	// Queue is the number of changes that wait in memory for the disk. Default 4,096.
	Queue int
	// Wait makes Put wait when the queue is full. Packets never wait, captures can.
	Wait bool
	// MaxFindings bounds the Findings remembered; those not seen for longest go.
	// Default 1,000,000.
	MaxFindings int64
	// Retention is how long a Finding is remembered after it was last seen, by packet
	// time. Default 800 days.
	Retention time.Duration
	// Committed is called with Alerts that have become durable, in order of sequence,
	// by one goroutine. It must not keep the slice. Nil is told nothing.
	Committed func([]*alert.Alert)
	// Trouble is called when the disk is full, and with nil when it no longer is.
	Trouble func(error)
	// unsafe lets a power cut lose what was durable: the negative control of a test.
	unsafe bool
}

// Bounds of what has no setting.
const (
	maxCaptures = 100_000
	maxDead     = 100_000
)

func (c Config) withDefaults() Config {
	for v, d := range map[*int64]int64{&c.MaxAlerts: 1_000_000, &c.MaxBytes: 1 << 30, &c.MaxFindings: 1_000_000} {
		if *v == 0 {
			*v = d
		}
	}
	if c.Policy == "" {
		c.Policy = DropOldest
	}
	if c.Queue == 0 {
		c.Queue = 4096
	}
	if c.Retention == 0 {
		c.Retention = 800 * 24 * time.Hour
	}
	if c.Committed == nil {
		c.Committed = func([]*alert.Alert) {}
	}
	if c.Trouble == nil {
		c.Trouble = func(error) {}
	}
	return c
}

// Validate returns all that is wrong with c, nil if nothing is.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("state: "+format, args...))
		}
	}
	check(c.Dir != "", "name a directory")
	check(c.MaxAlerts >= 10 && c.MaxBytes >= 1<<16, "the outbox must be allowed 10 alerts and 64 KiB at least")
	check(c.Policy == DropOldest || c.Policy == DropNewest || c.Policy == Stop,
		"unknown policy %q: use %s, %s or %s", c.Policy, DropOldest, DropNewest, Stop)
	check(c.Queue >= 1 && c.Queue <= 1<<20, "queue must be 1 to %d changes, not %d", 1<<20, c.Queue)
	check(c.MaxFindings >= 1, "max findings must be positive")
	check(c.Retention >= 24*time.Hour, "retention must be a day at least")
	return errors.Join(errs...)
}
