package detect

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"telltale/capture"
	"telltale/feeds"
)

// EncryptedKind is how DNS is hidden.
type EncryptedKind uint8

// Kinds of encrypted DNS.
const (
	DoT EncryptedKind = iota // over TLS or DTLS (RFC 7858, RFC 8094)
	DoH                      // over HTTPS (RFC 8484)
	DoQ                      // over QUIC (RFC 9250)
)

// String returns the lower-case name used in all output.
func (k EncryptedKind) String() string { return [...]string{"dot", "doh", "doq"}[min(k, DoQ)] }

// EncryptedUse is what one host asks of one resolver in secret: a blind spot, since the
// names are not seen.
type EncryptedUse struct {
	Host        netip.Addr
	Resolver    string // name the host gave it; its address where it gave none
	Operator    string // of a public resolver that is known; else empty
	Kind        EncryptedKind
	First, Last int64  // packet times of the first and the latest connection
	Connections uint64 // answered or not
	flow        uint64 // the latest
}

type encryptedKey struct {
	host     netip.Addr
	resolver string
	kind     EncryptedKind
}

// encrypted holds the uses seen. Once it is full, further ones are only counted.
type encrypted struct {
	limit int
	uses  map[encryptedKey]*EncryptedUse
	lost  uint64
	label []byte // scratch
}

// Ports of DNS over TLS and QUIC (RFC 7858 §3.1, RFC 9250 §4.1.1), and those that
// drafts and early servers of DNS over QUIC had.
const (
	dotPort      = 853
	doqDraftPort = 784
	doqEarlyPort = 8853
)

// encryptedHello says whether a hello begins encrypted DNS: by its port, by the
// protocol it names, or by a resolver's name or address.
func (e *Engine) encryptedHello(o *capture.Observation) (EncryptedKind, bool) {
	for _, p := range o.TLS.ALPN {
		switch {
		case string(p) == "dot":
			return DoT, true
		case string(p) == "doq" || strings.HasPrefix(string(p), "doq-"):
			return DoQ, true
		}
	}
	quic := o.Proto == capture.ProtoQUIC
	switch port := o.Server.Port(); {
	case port == dotPort && !quic:
		return DoT, true
	case port == dotPort, quic && (port == doqDraftPort || port == doqEarlyPort):
		return DoQ, true
	}
	return DoH, e.set.EncryptedDNS(o.Name) || e.resolverAt(o.Server.Addr())
}

// encryptedFlow says the same of a flow that was answered and whose hello was not seen.
func (e *Engine) encryptedFlow(o *capture.Observation) (EncryptedKind, bool) {
	const https = 443
	udp := o.Transport == 17
	switch port := o.Server.Port(); {
	case port == dotPort && !udp:
		return DoT, true
	case port == dotPort, udp && port == doqDraftPort:
		return DoQ, true
	case port == https:
		return DoH, e.resolverAt(o.Server.Addr())
	}
	return 0, false
}

func (e *Engine) resolverAt(a netip.Addr) bool {
	_, ok := e.set.PublicResolver(a)
	return ok
}

// secret notes that h uses the resolver o leads to.
func (e *Engine) secret(h *host, o *capture.Observation, kind EncryptedKind) {
	t := &e.encrypted
	t.label = append(t.label[:0], o.Name...)
	if len(t.label) == 0 {
		t.label = o.Server.Addr().AppendTo(t.label)
	}
	u := t.uses[encryptedKey{h.Addr, string(t.label), kind}]
	if u == nil {
		if len(t.uses) >= t.limit {
			t.lost++
			e.cover.EncryptedDNS++
			return
		}
		u = e.begin(h, o, kind)
	} else if o.Flow != 0 && u.flow == o.Flow {
		return
	}
	e.cover.EncryptedDNS++
	u.Connections++
	u.Last, u.flow = max(u.Last, o.Time), o.Flow
}

// begin adds a use and tells of it, once for a host and a resolver.
func (e *Engine) begin(h *host, o *capture.Observation, kind EncryptedKind) *EncryptedUse {
	u := &EncryptedUse{Host: h.Addr, Resolver: string(e.encrypted.label), Kind: kind, First: o.Time}
	u.Operator, _ = e.set.PublicResolver(o.Server.Addr())
	told := false
	for k := DoT; k <= DoQ; k++ {
		told = told || e.encrypted.uses[encryptedKey{h.Addr, u.Resolver, k}] != nil
	}
	e.encrypted.uses[encryptedKey{h.Addr, u.Resolver, kind}] = u
	if e.conf.TellEncryptedDNS && !told {
		e.tellEncrypted(h, o, u)
	}
	return u
}

// tellEncrypted reports a use as a Finding of its own, which is not kept: nothing more
// is told of it.
func (e *Engine) tellEncrypted(h *host, o *capture.Observation, u *EncryptedUse) {
	who := u.Resolver
	if u.Operator != "" {
		who += " (" + u.Operator + ")"
	}
	f := &Finding{
		Topic: AboutEncryptedDNS, Host: h.Host, host: h, Class: feeds.None,
		Attempts: 1, FirstSeen: o.Time, LastSeen: o.Time, Names: []string{u.Resolver}, rangeKey: u.Resolver,
		Facts: []Fact{{Text: fmt.Sprintf("encrypted DNS (%s) to %s, server %s: the names the host asks for there are not seen", u.Kind, who, o.Server), Packet: o.Packet}},
	}
	f.Contact.of(o)
	f.ID = findingID(f)
	e.told(Change{Kind: Opened, Time: o.Time, Packet: o.Packet, Finding: f})
}

// list returns the uses by host, resolver and kind.
func (t *encrypted) list() []EncryptedUse {
	all := make([]EncryptedUse, 0, len(t.uses))
	for _, u := range t.uses {
		all = append(all, *u)
	}
	slices.SortFunc(all, func(a, b EncryptedUse) int {
		return cmp.Or(a.Host.Compare(b.Host), cmp.Compare(a.Resolver, b.Resolver), cmp.Compare(a.Kind, b.Kind))
	})
	return all
}
