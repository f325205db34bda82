package proto

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"telltale/capture"
)

const (
	x509MaxNames = 256 // alternative names kept
	x509MaxText  = 256 // bytes kept of a common name
)

// Object identifiers (RFC 5280 §4.2.1.6, ITU-T X.520) as they stand in DER.
const (
	x509CommonName   = "\x55\x04\x03"
	x509Organisation = "\x55\x04\x0a"
	x509AltName      = "\x55\x1d\x11"
)

// x509Fields is what is used of a certificate. The slices point into it.
type x509Fields struct {
	subject  []byte            // common name
	org      []byte            // organisation of the subject
	issuer   []byte            // common name, else organisation
	altNames cryptobyte.String // GeneralNames without their header
}

// x509Read appends the Observation of the certificate der, nothing if it cannot be one.
func x509Read(der []byte, log *capture.Log) {
	var f x509Fields
	if !f.read(der) {
		return
	}
	o := log.Add(capture.ProtoX509, capture.Response)
	o.Transport = 6
	c := o.Cert
	c.Subject = log.Copy(f.subject[:min(len(f.subject), x509MaxText)])
	c.Org = log.Copy(f.org[:min(len(f.org), x509MaxText)])
	c.Issuer = log.Copy(f.issuer[:min(len(f.issuer), x509MaxText)])
	c.Names, c.More = x509Names(f.altNames, log)
	switch {
	case len(c.Names) > 0:
		o.Name = c.Names[0]
	case x509IsHost(f.subject):
		o.Name = httpHostName(log, f.subject)
	}
}

// read takes a Certificate apart (RFC 5280 §4.1). The signature is not looked at.
func (f *x509Fields) read(der []byte) bool {
	whole := cryptobyte.String(der)
	var cert, tbs, issuer, subject cryptobyte.String
	if !whole.ReadASN1(&cert, asn1.SEQUENCE) || !cert.ReadASN1(&tbs, asn1.SEQUENCE) {
		return false
	}
	version := asn1.Tag(0).Constructed().ContextSpecific()
	if !tbs.SkipOptionalASN1(version) || !tbs.SkipASN1(asn1.INTEGER) || !tbs.SkipASN1(asn1.SEQUENCE) ||
		!tbs.ReadASN1(&issuer, asn1.SEQUENCE) || !tbs.SkipASN1(asn1.SEQUENCE) || // validity
		!tbs.ReadASN1(&subject, asn1.SEQUENCE) || !tbs.SkipASN1(asn1.SEQUENCE) { // public key
		return false
	}
	f.subject, f.org = x509Attribute(subject, x509CommonName), x509Attribute(subject, x509Organisation)
	if f.issuer = x509Attribute(issuer, x509CommonName); f.issuer == nil {
		f.issuer = x509Attribute(issuer, x509Organisation)
	}
	for _, tag := range [...]asn1.Tag{asn1.Tag(1).ContextSpecific(), asn1.Tag(2).ContextSpecific()} {
		if !tbs.SkipOptionalASN1(tag) { // unique identifiers
			return true
		}
	}
	var extensions cryptobyte.String
	var present bool
	if tbs.ReadOptionalASN1(&extensions, &present, asn1.Tag(3).Constructed().ContextSpecific()) && present {
		f.readExtensions(extensions)
	}
	return true
}

func (f *x509Fields) readExtensions(s cryptobyte.String) {
	var list, extension, id, value cryptobyte.String
	if !s.ReadASN1(&list, asn1.SEQUENCE) {
		return
	}
	for list.ReadASN1(&extension, asn1.SEQUENCE) {
		if !extension.ReadASN1(&id, asn1.OBJECT_IDENTIFIER) || !extension.SkipOptionalASN1(asn1.BOOLEAN) ||
			!extension.ReadASN1(&value, asn1.OCTET_STRING) {
			return
		}
		if string(id) == x509AltName {
			value.ReadASN1(&f.altNames, asn1.SEQUENCE)
			return
		}
	}
}

// x509Attribute returns the last value of an attribute in a Name, the most specific one
// (RFC 6125 §1.8), nil if there is none.
func x509Attribute(name cryptobyte.String, wanted string) (found []byte) {
	var set, pair, id, value cryptobyte.String
	var tag asn1.Tag
	for name.ReadASN1(&set, asn1.SET) {
		for set.ReadASN1(&pair, asn1.SEQUENCE) {
			if pair.ReadASN1(&id, asn1.OBJECT_IDENTIFIER) && string(id) == wanted && pair.ReadAnyASN1(&value, &tag) {
				found = value
			}
		}
	}
	return found
}

// x509Names returns the dNSNames among general names (RFC 5280 §4.2.1.6).
func x509Names(general cryptobyte.String, log *capture.Log) (names [][]byte, more bool) {
	dnsName := asn1.Tag(2).ContextSpecific()
	var value cryptobyte.String
	var tag asn1.Tag
	n := 0
	for s := general; s.ReadAnyASN1(&value, &tag); {
		if tag == dnsName && len(value) > 0 && len(value) <= httpMaxHost {
			n++
		}
	}
	if n == 0 {
		return nil, false
	}
	names = log.Lists(min(n, x509MaxNames))[:0]
	for s := general; s.ReadAnyASN1(&value, &tag) && len(names) < cap(names); {
		if tag == dnsName && len(value) > 0 && len(value) <= httpMaxHost {
			names = append(names, httpHostName(log, value))
		}
	}
	return names, n > x509MaxNames
}

// x509IsHost says that a common name is made like a host name: printable, without
// spaces, with a dot inside.
func x509IsHost(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c > '~' || c == '/' || c == '@' || c == ':' {
			return false
		}
	}
	dot := bytes.IndexByte(b, '.')
	return dot > 0 && dot < len(b)-1
}
