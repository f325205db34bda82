package detect

import (
	"encoding/binary"
	"net/netip"

	"telltale/capture"
)

// host is what is remembered of one address.
type host struct {
	Host
	addr     netip.Addr
	home     bool
	declared Role
	inferred Role
	last     int64
	asked    [resolverClients]netip.Addr // who asked it a DNS question
	prints   [4]stack                    // TLS stacks seen, by cipher list
	walks    []walking
	findings []*Finding
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
	if h.MAC == [6]byte{} {
		h.MAC, h.VLAN = o.ClientMAC, o.VLAN
	}
	return h
}

func (e *Engine) hostAt(addr netip.Addr) *host {
	if h := e.hosts[addr]; h != nil {
		return h
	}
	if len(e.hosts) >= e.conf.MaxHosts {
		e.cover.HostsLost++
		return nil
	}
	h := &host{Host: Host{Addr: addr}, addr: addr}
	e.declare(h)
	e.hosts[addr] = h
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
	for i, c := range server.asked {
		if c == client {
			return
		}
		if !c.IsValid() {
			server.asked[i] = client
			if i == len(server.asked)-1 {
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
	if s := e.hostAt(o.Server.Addr()); s != nil {
		e.infer(s, Proxy)
	}
}

// stack is a TLS stack of a host: the cipher-list part of its JA4, which stays the
// same from site to site.
type stack struct {
	key   [12]byte
	sites uint8     // distinct names it was used for, roughly
	seen  [3]uint32 // digests of the last ones
}

// browserSites is the number of distinct names from which on a TLS stack counts as one
// of the host's browsers.
const browserSites = 5

// cipherPart returns the cipher-list hash within a JA4 fingerprint.
func cipherPart(o *capture.Observation) (k [12]byte) {
	copy(k[:], o.TLS.JA4[11:23])
	return k
}

// fingerprint counts the sites a TLS stack of h was used for. Only hellos over TCP are
// compared: the same program offers fewer ciphers over QUIC.
func (h *host) fingerprint(o *capture.Observation) {
	if o.Proto != capture.ProtoTLS || o.TLS.JA4[0] == 0 || len(o.Name) == 0 {
		return
	}
	k := cipherPart(o)
	for i := range h.prints {
		p := &h.prints[i]
		if p.sites == 0 {
			p.key = k
		}
		if p.key == k {
			p.visit(digest(o.Name))
			return
		}
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
	if o.Proto != capture.ProtoTLS || o.TLS.JA4[0] == 0 {
		return false
	}
	k, browser := cipherPart(o), false
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
