package proto

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"telltale/capture"
)

const (
	// ldapStartTLS is the name of the extended request (RFC 4511 §4.14.1).
	ldapStartTLS = "1.3.6.1.4.1.1466.20037"
	ldapExtended = 0x77 // [APPLICATION 23], constructed
	// ldapMax is the longest request looked at: one for TLS is 31 bytes.
	ldapMax = 64
)

// LDAP's request for TLS. A client sends nothing before it.
var _ = registerStream(Stream{
	Proto:   capture.ProtoLDAP,
	From:    Client,
	Order:   55,
	Opening: true,
	Match:   ldapMatch,
	Parse:   ldapParse,
})

// ldapMatch asks for a short sequence that begins with an integer.
func ldapMatch(b []byte) Verdict {
	switch {
	case b[0] != 0x30,
		len(b) > 1 && (b[1] < byte(len(ldapStartTLS)) || b[1] > ldapMax),
		len(b) > 2 && b[2] != byte(asn1.INTEGER):
		return No
	case len(b) < 3:
		return More
	}
	return Yes
}

func ldapParse(b []byte, last bool, _ *capture.Log) (int, Status) {
	switch v := ldapMatch(b); {
	case v == No, v == Yes && len(b) < 2+int(b[1]) && last:
		return 0, Reject
	case v == More, len(b) < 2+int(b[1]):
		return 0, Incomplete
	}
	end := 2 + int(b[1])
	s := cryptobyte.String(b[2:end])
	var request, name cryptobyte.String
	if !s.SkipASN1(asn1.INTEGER) || !s.ReadASN1(&request, ldapExtended) ||
		!request.ReadASN1(&name, asn1.Tag(0).ContextSpecific()) || string(name) != ldapStartTLS {
		return 0, Reject
	}
	return end, Done
}
