package detect

import (
	"telltale/capture"
	"telltale/feeds"
)

// certified takes the certificate of a server that no hello named. What an earlier DNS
// answer says is nearer to what the client wants. The names of the certificate say more
// than whom it was issued to.
func (e *Engine) certified(h *host, o *capture.Observation) {
	if o.Cert.Asked || e.names.lookup(o.Client.Addr(), o.Server.Addr(), o.Time) != nil {
		return
	}
	if !e.certifiedName(h, o) {
		e.issuedTo(h, o, feeds.CertOrganization, o.Cert.Org)
		e.issuedTo(h, o, feeds.CertCommonName, o.Cert.Subject)
	}
}

// certifiedName takes the names of a certificate and reports whether they name a vendor's
// server: only if all of them are one vendor's. Of these the one that says least counts,
// since any may be meant. One with names of others belongs to a place that serves many
// owners and says nothing.
func (e *Engine) certifiedName(h *host, o *capture.Observation) (named bool) {
	if o.Cert.More {
		return false
	}
	names := o.Cert.Names
	if len(names) == 0 && len(o.Name) > 0 {
		names = [][]byte{o.Name}
	}
	for _, c := range e.certificateNames(names) {
		if c.names == len(names) {
			e.contact(h, o, c.match, ByCertificate, c.name)
			e.exchanged(o.Flow)
			named = true
		}
	}
	return named
}

// issuedTo holds a field of the subject of a certificate against the indicators.
func (e *Engine) issuedTo(h *host, o *capture.Observation, field feeds.CertField, text []byte) {
	e.matches = e.set.Certificate(field, text, e.matches[:0])
	for _, m := range e.matches {
		e.contact(h, o, m, ByCertificate, capture.AppendEscaped(nil, text))
		e.exchanged(o.Flow)
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
