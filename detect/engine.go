package detect

import (
	"net/netip"

	"telltale/capture"
	"telltale/feeds"
	"telltale/feeds/geo"
)

// Engine holds Observations against what is wanted. It is fed by one goroutine.
type Engine struct {
	conf      Config
	set       *feeds.Set
	told      func(Change)
	hosts     hosts
	findings  []*Finding
	dirty     []*Finding // changed since Changed was called
	flows     map[uint64][]tracked
	names     names
	cover     Coverage
	now       int64 // time of the latest Observation
	sweepAt   int64
	ech       echConfigs
	encrypted encrypted
	matches   []feeds.Match // scratch
	asMatches []feeds.Match // scratch
	quiet     quiet
	place     geo.Result // scratch
	stations  stations
	// successions counts hosts that came to an address another had.
	successions int32
}

// tracked credits a flow to a Finding.
type tracked struct {
	finding   *Finding
	hit       *hit
	exchanged bool
	lead      bool // the entry that counts for the Finding itself
}

// New returns an Engine that calls told for every Change, in the order of the stream.
func New(conf Config, told func(Change)) (*Engine, error) {
	if err := conf.Validate(); err != nil {
		return nil, err
	}
	conf = conf.withDefaults()
	if conf.Home == nil {
		conf.Home = privateSpace()
	}
	e := &Engine{
		conf: conf, set: conf.Set, told: told,
		hosts:     newHosts(),
		flows:     make(map[uint64][]tracked),
		ech:       newECHConfigs(maxECH),
		encrypted: encrypted{limit: conf.MaxEncrypted, uses: make(map[encryptedKey]*EncryptedUse)},
		stations:  newStations(conf.MaxStations),
		names:     names{limit: conf.MaxNames, known: make(map[path]*answer)},
	}
	return e, nil
}

func privateSpace() []netip.Prefix {
	var all []netip.Prefix
	for _, s := range []string{
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", // RFC 1918, RFC 6598
		"169.254.0.0/16", "fe80::/10", "fc00::/7", // RFC 3927, RFC 4291, RFC 4193
	} {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

// Observe takes the next Observation of the stream. It keeps nothing that o points to.
func (e *Engine) Observe(o *capture.Observation) {
	e.now = max(e.now, o.Time)
	e.sweep()
	e.cover.count(o)
	if o.Kind == capture.FlowEnd && o.End.Outcome == capture.Exchanged && e.flows[o.Flow] == nil {
		return // its first exchange was looked at, and met nothing
	}
	if o.Kind == capture.Identify {
		e.identify(o)
		return
	}
	e.passing(o)
	h := e.host(o)
	if h == nil {
		return
	}
	switch o.Proto {
	case capture.ProtoDNS:
		e.dns(h, o)
	case capture.ProtoTLS, capture.ProtoQUIC, capture.ProtoDTLS:
		h.fingerprint(o)
		e.blind(h, o)
		e.named(h, o)
	case capture.ProtoHTTP:
		e.http(h, o)
	case capture.ProtoFlow:
		e.flow(h, o)
	case capture.ProtoX509:
		e.certified(h, o)
	case capture.ProtoSOCKS:
		e.forwards(o.Server.Addr())
		e.named(h, o)
	case capture.ProtoPROXY:
		e.infer(h, Proxy)
		e.named(h, o)
	}
}

// named takes a hello or request that gives the name of its server.
func (e *Engine) named(h *host, o *capture.Observation) {
	if len(o.Name) == 0 {
		return
	}
	e.matches = e.set.Name(o.Name, e.matches[:0])
	for _, m := range e.matches {
		e.contact(h, o, m, ByName, o.Name)
	}
}

// statusProxyAuth is the answer of a proxy that asks for a password, and not of the
// server (RFC 9110 §15.5.8).
const statusProxyAuth = 407

// http takes an HTTP message: its name, its path, its program and its body.
func (e *Engine) http(h *host, o *capture.Observation) {
	if o.Kind == capture.Request {
		e.proxied(o)
		e.named(h, o)
		e.matches = e.set.Path(o.HTTP.Target, e.matches[:0])
		e.matches = e.set.URL(o.Name, o.HTTP.Target, e.matches)
		for _, m := range e.matches {
			e.contact(h, o, m, ByName, o.HTTP.Target)
		}
		e.matches = e.set.UserAgent(o.HTTP.UserAgent, e.matches[:0])
		for _, m := range e.matches {
			e.contact(h, o, m, ByName, o.HTTP.UserAgent)
		}
		return
	}
	if !o.HTTP.Connect && o.HTTP.Status != statusProxyAuth {
		e.exchanged(o.Flow)
	}
	if len(o.HTTP.Body) == 0 {
		return
	}
	e.matches = e.set.Body(o.HTTP.Body, e.matches[:0])
	for _, m := range e.matches {
		e.contact(h, o, m, ByName, o.HTTP.Body[:min(4, len(o.HTTP.Body))])
	}
}

// Flush ends the stream: every Finding that changed since it was last told is summarised.
func (e *Engine) Flush() {
	for _, f := range e.findings {
		e.summarise(f)
	}
}

// Findings returns all Findings in the order they were opened, with their facts made.
func (e *Engine) Findings() []*Finding {
	for _, f := range e.findings {
		e.explain(f)
	}
	return e.findings
}

// Coverage returns what was seen and what could not be seen.
func (e *Engine) Coverage() Coverage {
	c := e.cover
	c.Hosts = len(e.hosts.byAddr)
	c.Encrypted, c.EncryptedLost = e.encrypted.list(), e.encrypted.lost
	c.ECHForgotten = e.ech.forgotten
	c.StationsLost = e.stations.evicted
	for _, s := range e.stations.order {
		if len(s.waiting) > 0 {
			c.Unaddressed++
		}
	}
	return c
}
