package geo

import (
	"net/netip"
	"time"
)

// Result is what is known of an address. Its zero value says nothing is.
type Result struct {
	// Country is where the address is thought to be, ISO 3166-1 alpha-2 or XK; empty
	// if unknown.
	Country string
	// ASN is the autonomous system that announces it, 0 if unknown, and ASName its
	// name. The embedded table names only the larger ones.
	ASN    uint32
	ASName string
	// Network is a range around the address for which all of this holds: that of the
	// IPv4 address inside where Via is set.
	Network netip.Prefix
	// CountrySource and ASNSource name where the answers are from, as in Source.Name.
	CountrySource, ASNSource string
	// Built is the date of the country's source, or the AS's where the country is
	// unknown, in nanoseconds since 1970 UTC; 0 if unknown.
	Built int64
	// Special is the name of the special-purpose space the address is in (RFC 6890).
	// Such an address has no country and no AS, and is never foreign.
	Special string
	// Via says how the IPv4 address that was looked up is carried in the IPv6 address:
	// "IPv4-mapped", "NAT64", "6to4" or "Teredo" (of which it is the client's).
	Via string
	// Shared is set by Watch.Foreign: the address serves many owners in many places
	// (anycast, CDN, cloud), so that its country says little.
	Shared bool
}

// staleAfter is the age at which addresses have moved enough to say so.
const staleAfter = 90 * 24 * time.Hour

// Source is a table or database answers come from.
type Source struct {
	Name  string // file name, or name of the embedded data
	Kind  Kind   // what it tells
	Built int64  // its date, nanoseconds since 1970 UTC; 0 if unknown
	// Unreadable counts damaged parts that look-ups met.
	Unreadable uint64
}

// Age returns how old the source is at a time in nanoseconds since 1970 UTC; 0 if its
// date is unknown or later.
func (s Source) Age(at int64) time.Duration {
	if s.Built == 0 || at < s.Built {
		return 0
	}
	return time.Duration(at - s.Built)
}

// Stale reports whether the source is older than 90 days at a time in nanoseconds since
// 1970 UTC.
func (s Source) Stale(at int64) bool {
	return s.Age(at) > staleAfter
}

// nanoseconds returns seconds since 1970 UTC in nanoseconds, 0 if they make no sense.
func nanoseconds(seconds uint64) int64 {
	if seconds > maxSeconds {
		return 0
	}
	return int64(seconds) * int64(time.Second)
}
