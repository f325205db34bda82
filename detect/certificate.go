package detect

import (
	"telltale/capture"
	"telltale/feeds"
)

// certified takes the certificate of a server that no hello named. It names the server
// only if all its names are one vendor's: of these the one that says least counts, since
// any may be meant. One with names of others belongs to a place that serves many owners
// and says nothing. What an earlier DNS answer says is nearer to what the client wants.
func (e *Engine) certified(h *host, o *capture.Observation) {
	if o.Cert.Asked || o.Cert.More || e.names.lookup(o.Client.Addr(), o.Server.Addr(), o.Time) != nil {
		return
	}
	names := o.Cert.Names
	if len(names) == 0 && len(o.Name) > 0 {
		names = [][]byte{o.Name}
	}
	for _, c := range e.certificateNames(names) {
		if c.names == len(names) {
			e.contact(h, o, c.match, ByCertificate, c.name)
			e.exchanged(o.Flow)
		}
	}
}

// certName is what a certificate says of one vendor.
type certName struct {
	match feeds.Match
	name  []byte // the name that says least
	names int    // names of the vendor
}

// certificateNames holds names against the indicators. A name may begin with "*.": it
// stands for a host below, so that it meets what is said of a whole domain only.
func (e *Engine) certificateNames(names [][]byte) (list []certName) {
	for _, name := range names {
		e.matches = e.set.Name(name, e.matches[:0])
		for _, m := range e.matches {
			list = addCertName(list, m, name)
		}
	}
	return list
}

func addCertName(list []certName, m feeds.Match, name []byte) []certName {
	for i := range list {
		c := &list[i]
		if c.match.Vendor != m.Vendor {
			continue
		}
		c.names++
		if m.Indicator.Implies < c.match.Indicator.Implies {
			c.match, c.name = m, name
		}
		return list
	}
	return append(list, certName{match: m, name: name, names: 1})
}
