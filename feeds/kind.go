package feeds

import "fmt"

// Kind says what an Indicator's value is and what it is held against.
type Kind uint8

// Kinds of Indicator. The ones after KindCertificate are never written as indicators in a
// pack: they are made of its look-alike, sinkhole and behaviour sections.
const (
	KindNone         Kind = iota
	KindSuffix            // a name and everything below it
	KindExact             // one name
	KindRegex             // RE2 over a whole name, anchored at both ends
	KindCIDR              // an address or prefix
	KindASN               // an autonomous system number
	KindPath              // RE2 over the path of an HTTP request target
	KindUserAgent         // RE2 over the User-Agent header field
	KindBodyMagic         // the first bytes of an HTTP response body
	KindBodyText          // a text within the first bytes of an HTTP response body
	KindPort              // a transport port or range of ports
	KindOUI               // a block of hardware addresses given to a maker
	KindIdentity          // RE2 over a field of an identity message of the local network
	KindCertificate       // RE2 over a field of the certificate of a TLS server
	KindLookalike         // a name made to be taken for the vendor's
	KindSinkhole          // an address or name the vendor catches malware with
	KindResolverWalk      // a question put to several public resolvers in turn
	kindCount
)

var kindNames = [kindCount]string{
	"", "suffix", "exact", "regex", "cidr", "asn", "http_path", "user_agent",
	"body_magic", "body_text", "port", "oui", "identity", "certificate", "lookalike", "sinkhole", "resolver_walk",
}

// String returns the lower-case name used in packs and in all output.
func (k Kind) String() string {
	if k < kindCount {
		return kindNames[k]
	}
	return ""
}

// IsName reports whether the value is, or matches, a domain name.
func (k Kind) IsName() bool { return k == KindSuffix || k == KindExact || k == KindRegex }

// IsHardware reports whether the value says what a device of the local network is, by its
// hardware address or by what it says of itself.
func (k Kind) IsHardware() bool { return k == KindOUI || k == KindIdentity }

// ParseKind returns the kind of that name.
func ParseKind(s string) (Kind, error) {
	for i, n := range kindNames {
		if n == s && i != 0 {
			return Kind(i), nil
		}
	}
	return KindNone, fmt.Errorf("unknown indicator kind %q: use one of suffix, exact, regex, cidr, asn, http_path, user_agent, body_magic, body_text, port, oui, identity, certificate", s)
}

// MarshalText implements encoding.TextMarshaler.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *Kind) UnmarshalText(b []byte) error {
	v, err := ParseKind(string(b))
	*k = v
	return err
}
