package feeds

import "net/netip"

// Vendor is who stands behind a pack.
type Vendor struct {
	ID      string   `yaml:"id"`
	Name    string   `yaml:"name"`
	Country string   `yaml:"country"` // ISO 3166-1 alpha-2 code of the company's registry
	Parent  string   `yaml:"parent"`
	Aliases []string `yaml:"aliases"`
	// Products lists product names worth naming to a user.
	Products []string `yaml:"products"`
	// Policies lists ids of policies that name the vendor.
	Policies []string `yaml:"policies"`
}

// Pack is everything known of one vendor, as read from one file.
type Pack struct {
	Vendor
	Version string // date of the pack, YYYY-MM-DD
	// Brands are tokens that in a foreign name make it a look-alike. Only words that
	// nobody else uses belong here.
	Brands     []string
	Roles      []RoleNote
	Notes      []string
	Sources    map[string]Source
	Indicators []*Indicator
	Walks      []*Walk
	Lookalikes []*Indicator // listed look-alike names, KindLookalike
	Sinkholes  []*Indicator // KindSinkhole, an address, prefix or name
	Traps      []Trap

	File string
	sum  [32]byte
}

// RoleNote says what a role of a host changes in the reading of a contact.
type RoleNote struct {
	Role string `yaml:"role"`
	Note string `yaml:"note"`
}

// Source is where a fact comes from.
type Source struct {
	Kind    string `yaml:"kind"`
	Ref     string `yaml:"ref"`
	License string `yaml:"license"`
	AsOf    string `yaml:"as_of"`
	Note    string `yaml:"note"`
}

// Recalled is the source id of facts written from memory and not checked.
const Recalled = "recalled"

// Trap is a name that resembles an indicator and must never match one.
type Trap struct {
	Name string
	Why  string
	Line int
}

// Walk is a behaviour: a name under one of Names put to several of Resolvers by one
// host, as a product does whose names the system resolver refuses.
type Walk struct {
	Indicator *Indicator // KindResolverWalk
	Vendor    *Vendor
	Names     []string     // suffixes
	Resolvers []netip.Addr // in the order the product asks
	Min       int          // resolvers that must have been asked
}

// Covers reports whether name, canonical, is one of the walk's.
func (w *Walk) Covers(name []byte) bool {
	for _, n := range w.Names {
		if under(name, n) {
			return true
		}
	}
	return false
}

// Place returns the position of a in the order of resolvers, -1 if it is none of them.
func (w *Walk) Place(a netip.Addr) int {
	a = a.Unmap()
	for i, r := range w.Resolvers {
		if r == a {
			return i
		}
	}
	return -1
}

// under reports whether name equals suffix or ends in "." + suffix.
func under(name []byte, suffix string) bool {
	cut := len(name) - len(suffix)
	if cut < 0 || string(name[cut:]) != suffix {
		return false
	}
	return cut == 0 || boundary(name, cut)
}

// boundary reports whether a label of name starts at i > 0.
func boundary(name []byte, i int) bool {
	if name[i-1] != '.' {
		return false
	}
	esc := 0
	for j := i - 2; j >= 0 && name[j] == '\\'; j-- {
		esc++
	}
	return esc%2 == 0
}
