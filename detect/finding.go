package detect

import (
	"net/netip"

	"telltale/capture"
	"telltale/feeds"
	"telltale/feeds/geo"
)

// Topic is what a Finding is about.
type Topic uint8

// Topics.
const (
	AboutVendor       Topic = iota // a vendor's product, device, site or range
	AboutLookalike                 // a name made to be taken for a vendor's
	AboutSinkhole                  // a malware trap run by a vendor: the host is infected
	AboutForeign                   // a foreign network range, whoever uses it
	AboutEncryptedDNS              // an encrypted resolver, which hides what the host asks for
)

// String returns the lower-case name used in all output.
func (t Topic) String() string {
	return [...]string{"vendor", "lookalike", "sinkhole", "foreign", "encrypted_dns"}[min(t, AboutEncryptedDNS)]
}

// Channel is how far a contact was seen to go.
type Channel uint8

// Channels in rising order of proof.
const (
	ByDNS         Channel = iota // the name was asked for
	ByAddress                    // a connection to an address, named by an earlier DNS answer if at all
	ByCertificate                // the server's certificate names it, the client did not
	ByName                       // the client named it in its own hello or request
)

// Host is who made the contacts of a Finding.
type Host struct {
	Addr netip.Addr
	MAC  [6]byte // the host's own, zero where it is not surely known; never a router's on the way
	VLAN uint16  // 0 if untagged
	Name string  // the name it gives itself, escaped; empty where none was learned
}

// Fact is one thing that raised or lowered a Finding, in words.
type Fact struct {
	Text      string
	Against   bool
	Indicator string // id of the indicator behind it, empty if there is none
	Packet    uint64 // ordinal of a packet that shows it, 0 if it rests on many
}

// Foreign is what is known of the address of a foreign Finding.
type Foreign struct {
	Addr    netip.Addr // the last one contacted
	Country string     // registry country, ISO 3166-1 alpha-2
	ASN     uint32
	ASName  string
	Network netip.Prefix
	Source  string
	Built   int64 // build time of the source, nanoseconds since 1970 UTC; 0 if unknown
	Reason  string
	Shared  bool // anycast, CDN or cloud: the country says little
}

// Contact is who talked to whom, as the latest Observation of a Finding shows it.
type Contact struct {
	// Client asked, Server was asked, by innermost addresses.
	Client, Server netip.AddrPort
	Transport      uint8         // IANA protocol number, 0 where there is none
	Proto          capture.Proto // what showed it
	Flow           uint64        // ordinal of the flow's first packet, 0 if it is no flow
	Name           string        // the name asked for, empty where none was
}

// of makes c the contact that o shows.
func (c *Contact) of(o *capture.Observation) {
	c.Client, c.Server = o.Client, o.Server
	c.Transport, c.Proto, c.Flow = o.Transport, o.Proto, o.Flow
	if c.Name != string(o.Name) {
		c.Name = string(o.Name)
	}
}

// Finding is the state of one host and vendor and product, or of one host and foreign
// range. Those returned by an Engine change as it goes on.
type Finding struct {
	ID      string // content-derived, stable over replays
	Topic   Topic
	Host    Host
	Vendor  string // pack id; empty where only a foreign range is known
	Product string // empty if not told
	Class   feeds.Class

	// Attempts and Exchanges count contacts: questions, blocked answers, resets and
	// unanswered hellos on the one side, answered handshakes and data both ways on the
	// other. The observations of one contact count once.
	Attempts, Exchanges uint64
	BytesOut, BytesIn   uint64 // transport payload of its flows that have ended
	FirstSeen, LastSeen int64  // nanoseconds since 1970 UTC

	Functions []feeds.Function // what the endpoints are for, in order of appearance
	Names     []string         // names contacted, in order of appearance, bounded
	Facts     []Fact
	Foreign   *Foreign
	Contact   Contact         // the latest one
	Roles     []string        // roles of the host that lowered the conclusion
	Policies  []*feeds.Policy // those that count this class
	// Least and Most bound what an alert about it may rest on; empty: no such bound.
	Least, Most feeds.Level
	Allowed     *Allow // the entry that excuses it, nil if none
	Cleared     bool   // no contact for long although the host was active
	host        *host
	hardware    bool // rests on what the device is
	hits        []*hit
	more        uint64 // contacts beyond the bounded list of hits
	told        feeds.Class
	opened      bool
	touched     bool // changed since the last summary
	dirty       bool // changed since Engine.Changed
	order       int
	rangeKey    string // of a foreign range
	places      []spot
}

// Change is something about a Finding that is worth telling.
type Change struct {
	Kind    ChangeKind
	Time    int64  // packet time
	Packet  uint64 // ordinal of the packet that caused it, 0 at a summary
	Finding *Finding
}

// ChangeKind says what happened to a Finding.
type ChangeKind uint8

// Kinds of Change.
const (
	Opened ChangeKind = iota
	Raised
	Summarised
	Reopened
	Cleared
)

// String returns the last part of the alert kind.
func (k ChangeKind) String() string {
	return [...]string{"opened", "raised", "summary", "reopened", "cleared"}[k]
}

// foreignOf copies what r says about addr.
func foreignOf(addr netip.Addr, r *geo.Result, why geo.Reason) *Foreign {
	return &Foreign{
		Addr: addr, Country: r.Country, ASN: r.ASN, ASName: r.ASName, Network: r.Network,
		Source: r.CountrySource, Built: r.Built, Reason: why.String(), Shared: r.Shared,
	}
}
