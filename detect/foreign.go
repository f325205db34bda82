package detect

import (
	"net/netip"

	"telltale/capture"
	"telltale/feeds"
	"telltale/feeds/geo"
)

// foreign holds the far end of a flow against the watched ranges and the vendors' ASes.
// The far end is the server, or the client of a connection that came from outside.
func (e *Engine) foreign(h *host, o *capture.Observation) {
	host, far := h, o.Server.Addr()
	if !h.home {
		if s := e.hostAt(far); s != nil && s.home {
			host, far = s, o.Client.Addr()
		}
	}
	e.within(host, far, o)
}

// foreignDNS does the same for a DNS exchange, which is no flow.
func (e *Engine) foreignDNS(h *host, o *capture.Observation) {
	f := e.within(h, o.Server.Addr(), o)
	if f != nil && o.Kind == capture.Response && f.Attempts > 0 {
		f.Attempts--
		f.Exchanges++
	}
}

// within notes contact of host with the address far where its range is watched.
func (e *Engine) within(host *host, far netip.Addr, o *capture.Observation) *Finding {
	if e.conf.Geo == nil || e.quiet.has(far) {
		return nil
	}
	r := &e.place
	e.conf.Geo.Lookup(far, r)
	if r.Special != "" {
		e.quiet.add(far)
		return nil
	}
	owned := e.ownAS(host, r, o)
	var why geo.Reason
	ok := false
	if e.conf.Watch != nil {
		why, ok = e.conf.Watch.Foreign(far, r)
	}
	if !ok {
		if !owned {
			e.quiet.add(far)
		}
		return nil
	}
	f := e.foreignFinding(host, r, why.Key(), o)
	f.LastSeen, f.touched = max(f.LastSeen, o.Time), true
	e.mark(f)
	f.Foreign = foreignOf(far, r, why)
	f.Contact.of(o)
	if o.Proto != capture.ProtoFlow {
		if o.Kind == capture.Request {
			f.Attempts++
		}
	} else if newFlow, _ := e.track(o.Flow, f, nil); newFlow {
		f.Attempts++
	}
	if len(f.places) < maxHits {
		f.place(*f.Foreign, o.Packet)
	}
	e.judged(host, f, o)
	return f
}

// foreignFinding returns the Finding of host and range, opened if it is new.
func (e *Engine) foreignFinding(h *host, r *geo.Result, key string, o *capture.Observation) *Finding {
	for _, f := range h.findings {
		if f.Topic == AboutForeign && f.rangeKey == key {
			return f
		}
	}
	return e.open(h, o, &Finding{Topic: AboutForeign, Class: feeds.Located, rangeKey: key, Foreign: &Foreign{}})
}

// ownAS notes contact with an AS that a vendor runs: an address, never a proof.
func (e *Engine) ownAS(h *host, r *geo.Result, o *capture.Observation) bool {
	// e.matches is in use by callers that loop over it, so this needs its own.
	e.asMatches = e.set.ASN(r.ASN, e.asMatches[:0])
	if len(e.asMatches) == 0 {
		return false
	}
	if _, shared := e.set.SharedASN(r.ASN); shared {
		return false
	}
	for _, m := range e.asMatches {
		e.contact(h, o, m, ByAddress, appendAddr(nil, o))
	}
	return true
}

// quiet remembers addresses that lie in no range of interest, so that the servers
// everybody talks to are looked up once. A full place is simply taken over.
type quiet [4096]netip.Addr

func (q *quiet) has(a netip.Addr) bool { return q[addrDigest(a)>>52] == a }

func (q *quiet) add(a netip.Addr) { q[addrDigest(a)>>52] = a }

// place remembers an address of the range once.
func (f *Finding) place(p Foreign, packet uint64) {
	for i := range f.places {
		if f.places[i].Addr == p.Addr {
			return
		}
	}
	f.places = append(f.places, spot{Foreign: p, packet: packet})
}

// spot is an address contacted in a foreign range.
type spot struct {
	Foreign
	packet uint64
}
