package detect

import (
	"encoding/binary"
	"net/netip"

	"telltale/capture"
)

// host is what is remembered of one address.
type host struct {
	Host
	last     int64
	home     bool
	declared Role
	inferred Role
	// generation tells it from others that had the address before; 0 for the first.
	generation int32
	prints     []stack // TLS stacks seen, by cipher list
	findings   []*Finding
	rare       *rare // nil for most
}

// rare is what is known of few hosts.
type rare struct {
	asked  [resolverClients]netip.Addr // who asked it a DNS question
	walks  []walking
	lessee *station   // whose the record surely is, by DHCP; nil if that is not known
	before netip.Addr // the address it had before DHCP gave it this one
}

// more returns what is rare of h, to be changed.
func (h *host) more() *rare {
	if h.rare == nil {
		h.rare = new(rare)
	}
	return h.rare
}

// resolverClients is the number of distinct clients that make a host that answers DNS
// and asks it a resolver for others.
const resolverClients = 2

// host returns the host of o's client, made if it is new; nil if the table is full.
func (e *Engine) host(o *capture.Observation) *host {
	h := e.hostAt(o.Client.Addr())
	if h == nil {
		return nil
	}
	h.last = max(h.last, o.Time)
	if h.VLAN == 0 {
		h.VLAN = o.VLAN
	}
	return h
}

func (e *Engine) hostAt(addr netip.Addr) *host {
	if h := e.hosts.get(addr); h != nil {
		return h
	}
	if len(e.hosts.byAddr) >= e.conf.MaxHosts {
		e.cover.HostsLost++
		return nil
	}
	h := e.newHost(addr)
	e.hosts.put(addr, h)
	return h
}

func (e *Engine) newHost(addr netip.Addr) *host {
	h := e.hosts.make(addr)
	e.declare(h)
	return h
}

// addrDigest spreads addresses over small tables.
func addrDigest(a netip.Addr) uint64 {
	b := a.As16()
	lo, hi := binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])
	return (lo*0x9e3779b97f4a7c15 ^ hi) * 0xff51afd7ed558ccd
}

// roles returns what h does for others, declared or inferred.
func (h *host) roles() Role { return h.declared | h.inferred }

// infer gives h a role learned from traffic and judges its Findings anew.
func (e *Engine) infer(h *host, r Role) {
	if h.roles()&r != 0 {
		return
	}
	h.inferred |= r
	for _, f := range h.findings {
		f.Class, _ = f.judge(h.roles())
		e.mark(f)
	}
}

// answers notes that a host was asked a DNS question. One that is asked by several
// clients and asks itself is a resolver for others.
func (e *Engine) answers(server *host, client netip.Addr) {
	if server.roles()&Resolver != 0 {
		return // it makes no difference any more
	}
	asked := &server.more().asked
	for i, c := range asked {
		if c == client {
			return
		}
		if !c.IsValid() {
			asked[i] = client
			if i == len(asked)-1 {
				e.infer(server, Resolver)
			}
			return
		}
	}
}

// proxied notes that a host was asked to open connections for others.
func (e *Engine) proxied(o *capture.Observation) {
	t := o.HTTP.Target
	if string(o.HTTP.Method) != "CONNECT" && (len(t) < 7 || string(t[:7]) != "http://") {
		return
	}
	e.forwards(o.Server.Addr())
}

// forwards notes that the host at addr opens connections for others.
func (e *Engine) forwards(addr netip.Addr) {
	if s := e.hostAt(addr); s != nil {
		e.infer(s, Proxy)
	}
}

// stack is a TLS stack of a host: the cipher suites that it offers, which stay the
// same from site to site.
type stack struct {
	key   uint64
	sites uint8     // distinct names it was used for, roughly
	seen  [3]uint32 // digests of the last ones
}

// maxStacks bounds the TLS stacks remembered of a host.
const maxStacks = 4

// browserSites is the number of distinct names from which on a TLS stack counts as one
// of the host's browsers.
const browserSites = 5

// fingerprint counts the sites a TLS stack of h was used for. Only hellos over TCP are
// compared: the same program offers fewer ciphers over QUIC.
func (h *host) fingerprint(o *capture.Observation) {
	if o.Proto != capture.ProtoTLS || o.TLS.Ciphers == 0 || len(o.Name) == 0 {
		return
	}
	k := o.TLS.Ciphers
	for i := range h.prints {
		if p := &h.prints[i]; p.key == k {
			p.visit(digest(o.Name))
			return
		}
	}
	if len(h.prints) < maxStacks {
		p := stack{key: k}
		p.visit(digest(o.Name))
		h.prints = append(h.prints, p)
	}
}

func (p *stack) visit(site uint32) {
	for _, s := range p.seen {
		if s == site && p.sites > 0 {
			return
		}
	}
	p.seen[int(p.sites)%len(p.seen)] = site
	if p.sites < 255 {
		p.sites++
	}
}

// unlikeBrowsers says that h has a browser and that the hello o is not from it.
func (h *host) unlikeBrowsers(o *capture.Observation) bool {
	if o.Proto != capture.ProtoTLS || o.TLS.Ciphers == 0 {
		return false
	}
	k, browser := o.TLS.Ciphers, false
	for i := range h.prints {
		p := &h.prints[i]
		if p.sites >= browserSites {
			if p.key == k {
				return false
			}
			browser = true
		}
	}
	return browser
}

// digest is FNV-1a: it tells names apart where a rare mistake does no harm.
func digest(b []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}
