package feeds

import (
	"errors"
	"fmt"
	"iter"
	"net/netip"
)

// Feed is a list of names, addresses and URLs from a source that is no pack. What
// contact with an entry says is the same for all of them and comes from the operator.
// A Feed is filled by one goroutine and read-only once it is part of a Library.
type Feed struct {
	Name       string // as the operator calls it; unique in a Library
	Vendor     Vendor // ID is needed; if a pack has it, the pack's Vendor counts
	Product    string
	Function   Function
	Implies    Class // the most a contact with a name or URL shows; addresses show Located
	Confidence Confidence
	Source     string // where the list comes from, for people
	Seen       string // YYYY-MM-DD
	File       string
	// Digest is over what the list was read from; it becomes part of the generation.
	Digest [32]byte

	names    namesBuilder // rule is the Reach
	prefixes []netip.Prefix
	asns     []uint32
	urls     []string
}

// Reach says which names an entry of a Feed stands for.
type Reach uint8

// Reaches.
const (
	ReachExact  Reach = iota // the name
	ReachSuffix              // the name and everything below it
	ReachBelow               // everything below the name (a DNS wildcard, RFC 4592)
	reachCount
)

// String returns the word for r.
func (r Reach) String() string {
	if r < reachCount {
		return [...]string{"exact", "suffix", "below"}[r]
	}
	return ""
}

// maxFeedText bounds the bytes of all names of one Set, and maxURL those of one URL
// without its scheme.
const (
	maxFeedText = 1 << 31
	maxURL      = 2048
)

// Validate returns all that is wrong with what was said of the list.
func (f *Feed) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !validID(f.Name) {
		bad("name %q: use lower-case letters, digits, dots and hyphens", f.Name)
	}
	if !validID(f.Vendor.ID) {
		bad("vendor %q: use lower-case letters, digits, dots and hyphens", f.Vendor.ID)
	}
	switch {
	case f.Function == FuncSinkhole || f.Function == FuncLookalike:
		bad("function %s: only a pack can say this of a name", f.Function)
	case f.Function.Meaning() == "":
		bad("function %q: give one of those in packs/README.md", f.Function)
	}
	if f.Implies == None || f.Implies == Resolved || f.Implies >= classCount {
		bad("implies %q: give located, visited, likely, device or installed", f.Implies)
	}
	if f.Confidence == Low && f.Implies > Likely {
		bad("confidence low implies %s: imply likely at most", f.Implies)
	}
	return errors.Join(errs...)
}

// AddName adds a canonical name. It does not keep name.
func (f *Feed) AddName(name []byte, r Reach) { f.names.addBytes(name, uint32(r)) }

// AddPrefix adds an address range; bits behind the prefix must be zero.
func (f *Feed) AddPrefix(p netip.Prefix) { f.prefixes = append(f.prefixes, p) }

// AddASN adds an autonomous system.
func (f *Feed) AddASN(n uint32) { f.asns = append(f.asns, n) }

// AddURL adds a canonical host name and the path below it, with its query if it
// has one. It reports whether the two are short enough to be looked up.
func (f *Feed) AddURL(host, target string) bool {
	if len(host)+len(target) > maxURL {
		return false
	}
	f.urls = append(f.urls, host+target)
	return true
}

// Names returns the names in the order they were added. The bytes must not be changed.
func (f *Feed) Names() iter.Seq2[[]byte, Reach] {
	return func(yield func([]byte, Reach) bool) {
		for i := range f.names.t.entries {
			e := &f.names.t.entries[i]
			if !yield(f.names.t.name(e), Reach(e.rule)) {
				return
			}
		}
	}
}

// Prefixes returns the address ranges in the order they were added.
func (f *Feed) Prefixes() []netip.Prefix { return f.prefixes }

// ASNs returns the autonomous systems in the order they were added.
func (f *Feed) ASNs() []uint32 { return f.asns }

// URLs returns the URLs without their schemes in the order they were added.
func (f *Feed) URLs() []string { return f.urls }

// Len returns the number of entries.
func (f *Feed) Len() int {
	return len(f.names.t.entries) + len(f.prefixes) + len(f.asns) + len(f.urls)
}

// indicator returns what all entries of one kind have in common.
func (f *Feed) indicator(k Kind) *Indicator {
	i := &Indicator{
		ID: f.Vendor.ID + ":" + k.String() + ":@" + f.Name, Vendor: f.Vendor.ID, Product: f.Product,
		Kind: k, Value: "@" + f.Name, Function: f.Function, Implies: f.Implies, Confidence: f.Confidence,
		Seen: f.Seen, Note: f.Source, Feed: f.Name, File: f.File,
	}
	if k == KindCIDR || k == KindASN {
		i.Implies = Located
	}
	return i
}
