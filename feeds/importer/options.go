package importer

import (
	"errors"
	"fmt"

	"telltale/feeds"
)

// Options say how a list is read. The zero value reads any format with the default
// limits.
type Options struct {
	// Format is the name of a format; empty or "auto" tells it by content.
	Format string
	// Reach overrides what a name stands for: "exact", "suffix", or empty for what the
	// format says.
	Reach string
	// Countries are the ISO 3166 codes whose ranges are taken from a registry's
	// statistics, which need at least one.
	Countries []string
	// ASNs are the autonomous systems whose ranges are taken from a list of prefixes
	// by origin. Empty takes all.
	ASNs []uint32
	// MinScore is the least score of an entry in a reputation list. Default 1.
	MinScore int
	// MaxBad is the share of bad lines above which a list is refused, from 0 to 1.
	// Nil is 0.1.
	MaxBad *float64
	// MaxBytes bounds a list after decompression. Default 512 MiB.
	MaxBytes int64
	// MaxEntries bounds what is taken of one list. Default 5,000,000.
	MaxEntries int
	// MaxShown bounds the bad lines that are kept to be shown. Default 10.
	MaxShown int
	// Shared names the owner of a zone whose names are given out to many. Nil knows
	// none.
	Shared func(name string) (owner string, ok bool)
	// Now is when the list is read, in nanoseconds since 1970 UTC: what a list itself
	// says has expired is left out. 0 leaves nothing out.
	Now int64
}

// Bounds that no option changes.
const (
	maxLine  = 64 << 10 // bytes of a line
	maxDepth = 64       // of nested JSON
)

const defaultMaxBad = 0.1

func (o Options) withDefaults() Options {
	if o.MaxBad == nil {
		share := defaultMaxBad
		o.MaxBad = &share
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 512 << 20
	}
	if o.MaxEntries == 0 {
		o.MaxEntries = 5_000_000
	}
	if o.MaxShown == 0 {
		o.MaxShown = 10
	}
	if o.MinScore == 0 {
		o.MinScore = 1
	}
	return o
}

// Validate returns all that is wrong with o.
func (o Options) Validate() error {
	o = o.withDefaults()
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if _, err := byName(o.Format); err != nil && o.Format != "" && o.Format != "auto" {
		errs = append(errs, err)
	}
	if o.Reach != "" && o.Reach != feeds.ReachExact.String() && o.Reach != feeds.ReachSuffix.String() {
		bad("match %q: use exact or suffix, or leave it out", o.Reach)
	}
	for _, c := range o.Countries {
		if !isCountry(c) {
			bad("country %q: give a two-letter code in capitals", c)
		}
	}
	if !(*o.MaxBad >= 0 && *o.MaxBad <= 1) {
		bad("max_bad is %g: give a share from 0 to 1", *o.MaxBad)
	}
	if o.MaxBytes < 1 || o.MaxEntries < 1 || o.MaxShown < 0 || o.MinScore < 1 {
		bad("max_size, max_entries and min_score must be positive")
	}
	return errors.Join(errs...)
}

func isCountry(c string) bool {
	return len(c) == 2 && 'A' <= c[0] && c[0] <= 'Z' && 'A' <= c[1] && c[1] <= 'Z'
}
