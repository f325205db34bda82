package feeds

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"
)

// Canonical returns a name as look-ups expect it: lower case, internationalised labels
// in their ASCII form (RFC 5891), no trailing dot.
func Canonical(name string) (string, error) {
	name = strings.TrimSuffix(strings.TrimSpace(name), ".")
	if isPlain(name) {
		return checkLength(strings.ToLower(name))
	}
	p := idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))
	a, err := p.ToASCII(name)
	if err != nil {
		return "", fmt.Errorf("%q is no domain name: %w", name, err)
	}
	return checkLength(strings.ToLower(a))
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// checkLength holds a name against the limits of RFC 1035 §2.3.4.
func checkLength(name string) (string, error) {
	if name == "" || len(name) > 253 {
		return "", fmt.Errorf("%q is no domain name: it has %d bytes, give 1 to 253", name, len(name))
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return "", fmt.Errorf("%q is no domain name: a label has %d bytes, give 1 to 63", name, len(label))
		}
	}
	return name, nil
}
