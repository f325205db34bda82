package detect

import (
	"net/netip"

	"telltale/capture"
	"telltale/feeds"
)

// dns takes one question or answer.
func (e *Engine) dns(h *host, o *capture.Observation) {
	server := o.Server.Addr()
	if s := e.hostAt(server); s != nil && o.Kind == capture.Request {
		e.answers(s, o.Client.Addr())
	}
	if o.Kind == capture.Request {
		e.walk(h, o)
	}
	e.foreignDNS(h, o)
	e.matches = e.set.Name(o.Name, e.matches[:0])
	for _, m := range e.matches {
		t := e.contact(h, o, m, ByDNS, o.Name)
		if o.Kind == capture.Response && t != nil {
			t.answered(e.set, o)
		}
	}
	if o.Kind == capture.Response {
		e.remember(o)
		e.ech.learn(o.DNS, o.Time)
	}
}

// answered keeps what the answer says: that the name is refused, or where it leads.
func (t *hit) answered(set *feeds.Set, o *capture.Observation) {
	if b := blocking(set, o.DNS); b != "" {
		t.blocked = b
	}
	for i := range o.DNS.Answers {
		a := &o.DNS.Answers[i]
		if a.Type == typeCNAME && t.cname == "" {
			t.cname = string(a.Target)
		}
	}
}

const typeCNAME = 5

// blocking says how an answer refuses its name, "" if it does not.
func blocking(set *feeds.Set, d *capture.DNS) string {
	for _, c := range d.EDE {
		switch c { // RFC 8914 §4.16-4.18
		case 15, 16, 17:
			return [...]string{"blocked", "censored", "filtered"}[c-15] + " by extended DNS error"
		}
	}
	switch d.RCode {
	case 3:
		return "NXDOMAIN"
	case 5:
		return "REFUSED"
	}
	for i := range d.Answers {
		if a := d.Answers[i].Addr; a.IsValid() {
			if kind, ok := set.BlockedAnswer(a); ok {
				return kind + " " + a.String()
			}
		}
	}
	return ""
}

// path is a client and the address it was told.
type path struct{ client, server netip.Addr }

// answer is a vendor's name by which a client knows an address.
type answer struct {
	match   feeds.Match
	name    string
	expires int64
	unsure  bool // another name was answered with the same address
}

// names remembers, per client, which addresses were answered for names of vendors, so
// that a flow without a name of its own can be named.
type names struct {
	limit int
	known map[path]*answer
	order []path // in the order they were learned, for eviction
}

// graceTTL is added to an answer's time to live: programs connect a little late.
const graceTTL = int64(60e9)

// maxTTL bounds for how long an answer names a flow.
const maxTTL = 24 * 3600

// remember keeps the addresses of an answer. Addresses of names that are no vendor's
// only make an entry unsure.
func (e *Engine) remember(o *capture.Observation) {
	client := o.Client.Addr()
	for i := range o.DNS.Answers {
		a := &o.DNS.Answers[i]
		if !a.Addr.IsValid() {
			continue
		}
		key := path{client, a.Addr.Unmap()}
		old := e.names.known[key]
		if len(e.matches) == 0 {
			if old != nil && o.Time < old.expires {
				old.unsure = true
			}
			continue
		}
		if _, blocked := e.set.BlockedAnswer(a.Addr); blocked {
			continue
		}
		expires := o.Time + int64(min(a.TTL, maxTTL))*1e9 + graceTTL
		if old != nil && old.name == string(o.Name) {
			old.expires = max(old.expires, expires)
			continue
		}
		e.names.put(key, &answer{match: e.matches[0], name: string(o.Name), expires: expires, unsure: old != nil && o.Time < old.expires})
	}
}

func (n *names) put(key path, a *answer) {
	if n.known[key] == nil {
		if len(n.order) >= n.limit {
			delete(n.known, n.order[0])
			n.order = n.order[1:]
		}
		n.order = append(n.order, key)
	}
	n.known[key] = a
}

// lookup returns the vendor's name by which client knows server at time t.
func (n *names) lookup(client, server netip.Addr, t int64) *answer {
	a := n.known[path{client, server.Unmap()}]
	if a == nil || t > a.expires {
		return nil
	}
	return a
}
