package feeds

import "net/netip"

// Shared holds facts that belong to no vendor.
type Shared struct {
	Resolvers []Resolver  // public DNS resolvers
	Blocked   []Blocked   // answers that mean "refused by a filter"
	CNAMEs    []CNAMEZone // content networks that carry a customer's name
	Fronts    []Front     // public names of Encrypted Client Hello
	Hosting   []Host      // who serves many owners
	Sources   map[string]Source
}

// Resolver is a public DNS resolver.
type Resolver struct {
	Name string
	// Names are the names it is reached under by DoT, DoH and DoQ, and below.
	Names     []string
	Addresses []netip.Prefix
	Sources   []string
	Note      string
}

// Blocked is a kind of answer a DNS filter gives in place of the truth.
type Blocked struct {
	Kind      string
	Names     []string // CNAME targets
	Addresses []netip.Prefix
	EDE       []uint16 // extended DNS errors (RFC 8914)
	Sources   []string
	Note      string
}

// CNAMEZone is a zone whose names begin with the customer's name.
type CNAMEZone struct {
	Zone  string `yaml:"zone"`
	Owner string `yaml:"owner"`
	// Dashed zones write the dots of the customer's name as hyphens.
	Dashed  bool     `yaml:"dashed"`
	Sources []string `yaml:"sources"`
	Note    string   `yaml:"note"`
}

// Front is the name seen in a ClientHello whose true name is encrypted (RFC 9849).
type Front struct {
	Name       string     `yaml:"name"`
	Provider   string     `yaml:"provider"`
	Confidence Confidence `yaml:"confidence"`
	Sources    []string   `yaml:"sources"`
	Note       string     `yaml:"note"`
}

// Host is a company whose addresses and zones serve many owners: their country says
// nothing of the owner, and contact never shows more than the location.
type Host struct {
	Name    string   `yaml:"name"`
	ASNs    []uint32 `yaml:"asns"`
	Apexes  []string `yaml:"apexes"` // zones given out to customers
	Sources []string `yaml:"sources"`
	Note    string   `yaml:"note"`
}
