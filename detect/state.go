package detect

import (
	"net/netip"
	"slices"

	"telltale/feeds"
)

// State is a Finding as it is remembered over restarts: all an Engine needs to go on
// with it, in plain data. Ordinals of packets are left out: they name places in a stream
// that is over. Fields may be added; none is renamed.
type State struct {
	ID      string
	Topic   Topic
	Vendor  string `json:",omitempty"`
	Product string `json:",omitempty"`
	Class   feeds.Class
	Told    feeds.Class // the strongest class an alert told of
	Opened  bool        // an alert told of it
	Cleared bool        `json:",omitempty"`
	Touched bool        `json:",omitempty"` // there are contacts no alert told of
	// Hardware says that it rests on what the device is.
	Hardware bool `json:",omitempty"`

	Host     Host
	HostLast int64 // when the host was last seen to do anything
	Roles    Role  `json:",omitempty"` // of the host, inferred from traffic

	Attempts, Exchanges uint64
	BytesOut, BytesIn   uint64
	FirstSeen, LastSeen int64

	Functions []feeds.Function `json:",omitempty"`
	Names     []string         `json:",omitempty"`
	Hits      []HitState       `json:",omitempty"`
	More      uint64           `json:",omitempty"` // contacts beyond the bounded list of hits

	Range   string    `json:",omitempty"` // of a foreign Finding: what names the range
	Foreign *Foreign  `json:",omitempty"`
	Contact Contact   `json:",omitzero"`  // the latest; Flow names a place in a stream that is over
	Places  []Foreign `json:",omitempty"` // addresses contacted in it
}

// HitState is what a Finding holds about one indicator and the value that met it.
type HitState struct {
	Indicator string
	Value     string
	Channel   Channel
	Asked     uint32 `json:",omitempty"`
	Dialled   uint32 `json:",omitempty"`
	Exchanged uint32 `json:",omitempty"`
	First     int64
	Last      int64
	Pending   bool           `json:",omitempty"`
	Families  []string       `json:",omitempty"` // texts that stand for them in the body
	Blocked   string         `json:",omitempty"`
	CNAME     string         `json:",omitempty"`
	Unlike    bool           `json:",omitempty"`
	Unsure    bool           `json:",omitempty"`
	Server    netip.AddrPort `json:",omitzero"`
	Beat      BeatState      `json:",omitzero"`
	Knocked   []netip.Addr   `json:",omitempty"` // servers of a port that did not answer
}

// BeatState is what is known of the intervals between contacts: when the last one was,
// how many intervals were seen, their mean in seconds and the sum of squared deviations.
type BeatState struct {
	Last     int64
	N        int
	Mean, M2 float64
}

// State returns what is to be remembered of f, a copy.
func (e *Engine) State(f *Finding) State {
	s := State{
		ID: f.ID, Topic: f.Topic, Vendor: f.Vendor, Product: f.Product, Class: f.Class, Told: f.told,
		Opened: f.opened, Cleared: f.Cleared, Touched: f.touched, Hardware: f.hardware, Host: f.Host, HostLast: f.LastSeen,
		Attempts: f.Attempts, Exchanges: f.Exchanges, BytesOut: f.BytesOut, BytesIn: f.BytesIn,
		FirstSeen: f.FirstSeen, LastSeen: f.LastSeen, Functions: slices.Clone(f.Functions),
		Names: slices.Clone(f.Names), More: f.more, Range: f.rangeKey, Foreign: f.Foreign, Contact: f.Contact,
	}
	s.Contact.Flow = 0
	if h := e.hosts.get(f.Host.Addr); h != nil {
		s.Host, s.HostLast, s.Roles = h.Host, max(h.last, f.LastSeen), h.inferred
		s.Host.MAC, s.Host.Name = e.hardware(h.Addr), e.hostName(h.Addr)
	}
	for _, t := range f.hits {
		s.Hits = append(s.Hits, t.state())
	}
	for i := range f.places {
		s.Places = append(s.Places, f.places[i].Foreign)
	}
	return s
}

func (t *hit) state() HitState {
	s := HitState{
		Indicator: t.match.Indicator.ID, Value: t.value, Channel: t.channel, Asked: t.asked, Dialled: t.dialled,
		Exchanged: t.exchanged, First: t.first, Last: t.last, Pending: t.pending, Blocked: t.blocked,
		CNAME: t.cname, Unlike: t.unlike, Unsure: t.unsure, Server: t.server,
		Knocked: slices.Clone(t.knocked), Beat: BeatState{t.beat.last, t.beat.n, t.beat.mean, t.beat.m2},
	}
	for i, f := range t.match.Indicator.Families {
		if t.families&(1<<i) != 0 {
			s.Families = append(s.Families, f.Token)
		}
	}
	return s
}

// Changed calls visit for each Finding that changed since the last call, in the order
// they first did.
func (e *Engine) Changed(visit func(*Finding)) {
	for _, f := range e.dirty {
		f.dirty = false
		visit(f)
	}
	e.dirty = e.dirty[:0]
}

// mark notes that f is not as it was when Changed was last called.
func (e *Engine) mark(f *Finding) {
	if !f.dirty {
		f.dirty = true
		e.dirty = append(e.dirty, f)
	}
}
