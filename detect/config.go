package detect

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"telltale/feeds"
	"telltale/feeds/geo"
)

// Config is what an Engine judges by. Set must not be nil; the zero value of every
// other field means none, or its default.
type Config struct {
	// Set is the compiled vendor knowledge.
	Set *feeds.Set
	// Geo tells country and AS of an address. Nil leaves them unknown.
	Geo *geo.DB
	// Watch says which ranges are foreign. Nil reports none.
	Watch *geo.Watch
	// Home lists the networks whose addresses are hosts of one's own. It decides who
	// the host is when a connection comes from outside. Default: private space.
	Home []netip.Prefix
	// Roles declares hosts that speak for others.
	Roles []RoleDecl
	// Allow excuses contacts.
	Allow []Allow
	// Window is the silence after which a further observation of the same name is
	// another contact. Default 1 min.
	Window time.Duration
	// SummaryEvery is how often, in packet time, an open Finding with new contacts is
	// summarised. Default 24 h.
	SummaryEvery time.Duration
	// ClearAfter is how long a host must have been active without any contact before
	// its Finding is cleared. Default 30 days.
	ClearAfter time.Duration
	// MaxHosts, MaxNames, MaxFlows bound the tables of hosts, of names remembered from
	// DNS answers, and of flows whose bytes are credited to a Finding. Defaults
	// 1,000,000, 262,144, 262,144.
	MaxHosts, MaxNames, MaxFlows int
	// MaxEncrypted bounds the list of hosts and the encrypted resolvers they use.
	// Default 16,384.
	MaxEncrypted int
	// TellEncryptedDNS makes the first use of an encrypted resolver by a host a Change.
	// Without it the coverage alone says so: browsers do it by default.
	TellEncryptedDNS bool
	// MaxStations bounds the table of hardware addresses and of who has which address.
	// Default 262,144.
	MaxStations int
}

// Role is what a host does for others.
type Role uint8

// Roles. They lower what is concluded about the host itself.
const (
	Resolver   Role = 1 << iota // asks DNS questions for others
	Proxy                       // opens connections for others
	NAT                         // translates addresses of others
	Mail                        // looks up and contacts names found in mail
	Enrichment                  // looks up names for analysts and monitoring systems
)

var roleNames = []string{"resolver", "proxy", "nat", "mail", "enrichment"}

// String returns the names of the roles in r, joined by "+".
func (r Role) String() string {
	var s []string
	for i, n := range roleNames {
		if r&(1<<i) != 0 {
			s = append(s, n)
		}
	}
	return strings.Join(s, "+")
}

// ParseRole returns the role of that name.
func ParseRole(s string) (Role, error) {
	for i, n := range roleNames {
		if n == s {
			return 1 << i, nil
		}
	}
	return 0, fmt.Errorf("unknown role %q: use one of %s", s, strings.Join(roleNames, ", "))
}

// RoleDecl declares the role of the hosts in a network.
type RoleDecl struct {
	Net  netip.Prefix
	Role Role
}

// Allow excuses contacts of some hosts with a vendor or a name. The Finding is kept and
// listed, with the reason, and raises no alert until the entry has expired.
type Allow struct {
	Net     netip.Prefix // hosts; the zero value means all
	Vendor  string       // pack id; empty means any
	Name    string       // name and everything below it; empty means any
	Reason  string
	Owner   string
	Expires time.Time // end of the excuse, by packet time
}

func (a *Allow) covers(h netip.Addr, vendor, name string) bool {
	if a.Net.IsValid() && !a.Net.Contains(h) || a.Vendor != "" && a.Vendor != vendor {
		return false
	}
	return a.Name == "" || name == a.Name || strings.HasSuffix(name, "."+a.Name)
}

func (c Config) withDefaults() Config {
	if c.Window == 0 {
		c.Window = time.Minute
	}
	if c.SummaryEvery == 0 {
		c.SummaryEvery = 24 * time.Hour
	}
	if c.ClearAfter == 0 {
		c.ClearAfter = 30 * 24 * time.Hour
	}
	for v, d := range map[*int]int{&c.MaxHosts: 1_000_000, &c.MaxNames: 1 << 18, &c.MaxFlows: 1 << 18, &c.MaxEncrypted: 1 << 14, &c.MaxStations: 1 << 18} {
		if *v == 0 {
			*v = d
		}
	}
	return c
}

// Validate returns all that is wrong with c, nil if nothing is.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Set == nil {
		bad("detect: no vendor knowledge: load at least one pack")
	}
	if c.Window < 0 || c.SummaryEvery < time.Minute || c.ClearAfter < time.Hour {
		bad("detect: window must not be negative, summaries at least a minute and clearing at least an hour apart")
	}
	if min(c.MaxHosts, c.MaxNames, c.MaxFlows, c.MaxEncrypted, c.MaxStations) < 1 {
		bad("detect: table sizes must be positive")
	}
	for i, a := range c.Allow {
		if a.Reason == "" || a.Owner == "" || a.Expires.IsZero() {
			bad("detect: allow entry %d: give a reason, an owner and an expiry date", i+1)
		}
		if !a.Net.IsValid() && a.Vendor == "" && a.Name == "" {
			bad("detect: allow entry %d excuses everything: give a network, a vendor or a name", i+1)
		}
	}
	return errors.Join(errs...)
}
