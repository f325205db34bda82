package feeds

import (
	"fmt"
	"strings"
)

// CertField is a field of the subject of a TLS server's certificate (RFC 5280 §4.1.2.6).
type CertField uint8

// Fields of a certificate.
const (
	CertOrganization CertField = iota // organizationName
	CertCommonName                    // commonName
	certFieldCount
)

var certFieldNames = [certFieldCount]string{"organization", "common_name"}

// String returns the name used in packs.
func (f CertField) String() string {
	if f < certFieldCount {
		return certFieldNames[f]
	}
	return ""
}

// Certificate appends the Matches of a field of the certificate that a TLS server shows,
// bytes as sent.
func (s *Set) Certificate(f CertField, text []byte, dst []Match) []Match {
	if f >= certFieldCount || len(text) == 0 {
		return dst
	}
	for i := range s.certs[f] {
		if r := &s.certs[f][i]; r.pat.match(text) {
			dst = append(dst, r.match)
		}
	}
	return dst
}

// parseCertificate reads "organization=^Acme Inc$": the field, and the expression.
func parseCertificate(value string) (CertField, string, error) {
	field, expr, ok := strings.Cut(value, "=")
	for i, name := range certFieldNames {
		if ok && name == field {
			return CertField(i), expr, nil
		}
	}
	return 0, "", fmt.Errorf("certificate %q: write organization=expression or common_name=expression, as in organization=^Acme Inc$", value)
}

func (c *compiler) certificate(m Match) error {
	field, expr, err := parseCertificate(m.Indicator.Value)
	if err != nil {
		return err
	}
	r, err := c.patternRule(m, expr)
	if err != nil {
		return err
	}
	c.set.certs[field] = append(c.set.certs[field], r)
	return nil
}

// certificateRules finds patterns that say more than their field can: whoever serves a
// certificate writes it, and an organisation has sites as well as products.
func certificateRules(_ *linter, _ *Pack, i *Indicator) (text, hint string) {
	if i.Kind != KindCertificate || i.Implies <= Likely {
		return "", ""
	}
	return "a certificate implies " + i.Implies.String(), "imply likely for what the product alone talks to, else visited"
}
