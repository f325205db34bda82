package feeds

import (
	"fmt"
	"slices"
	"strings"

	"telltale/capture"
)

// anyProto in an identity value stands for every protocol that has the field.
const anyProto = "any"

// identityKey says where an identity pattern is looked for; ProtoNone is anywhere.
type identityKey struct {
	proto capture.Proto
	field capture.FieldKey
}

// Identity appends the Matches of a field of an identity message.
func (s *Set) Identity(p capture.Proto, f *capture.IdentityField, dst []Match) []Match {
	for _, k := range [...]identityKey{{p, f.Key}, {capture.ProtoNone, f.Key}} {
		for i := range s.identities[k] {
			if r := &s.identities[k][i]; r.pat.match(f.Value) {
				dst = append(dst, r.match)
			}
		}
	}
	return dst
}

// parseIdentity reads "ssdp/server=^.*Acme": where to look, and the expression.
func parseIdentity(value string) (identityKey, string, error) {
	var key identityKey
	place, expr, ok := strings.Cut(value, "=")
	proto, field, slash := strings.Cut(place, "/")
	if !ok || !slash {
		return key, "", fmt.Errorf("identity %q: write protocol/field=expression, as in ssdp/server=^.*Acme", value)
	}
	if proto != anyProto {
		all := capture.IdentityProtos()
		n := slices.IndexFunc(all, func(p capture.Proto) bool { return p.String() == proto })
		if n < 0 {
			return key, "", fmt.Errorf("identity %q: unknown protocol %q: use %s or one of %s", value, proto, anyProto, joined(all))
		}
		key.proto = all[n]
	}
	all := capture.FieldKeys()
	n := slices.IndexFunc(all, func(k capture.FieldKey) bool { return k.String() == field })
	if n < 0 {
		return key, "", fmt.Errorf("identity %q: unknown field %q: use one of %s", value, field, joined(all))
	}
	key.field = all[n]
	return key, expr, nil
}

func joined[T fmt.Stringer](all []T) string {
	names := make([]string, len(all))
	for i, v := range all {
		names[i] = v.String()
	}
	return strings.Join(names, ", ")
}

func (c *compiler) identity(m Match) error {
	key, expr, err := parseIdentity(m.Indicator.Value)
	if err != nil {
		return err
	}
	r, err := c.patternRule(m, expr)
	if err != nil {
		return err
	}
	c.set.identities[key] = append(c.set.identities[key], r)
	return nil
}

// ownChoice lists fields that the user of a host sets at will.
var ownChoice = [...]capture.FieldKey{
	capture.FieldHostname, capture.FieldFQDN, capture.FieldDomain, capture.FieldService,
	capture.FieldClientID, capture.FieldUserAgent,
}

// identityRules finds patterns that say more than their field can.
func identityRules(_ *linter, _ *Pack, i *Indicator) (text, hint string) {
	switch i.Kind {
	case KindOUI:
		if i.Implies > Device {
			return "a hardware address implies " + i.Implies.String(), "imply device, or likely with shared for a maker of parts"
		}
	case KindIdentity:
		key, _, err := parseIdentity(i.Value)
		if err == nil && i.Implies > Likely && slices.Contains(ownChoice[:], key.field) {
			return key.field.String() + " is what the user of a host likes, but implies " + i.Implies.String(), "imply likely at most"
		}
	}
	return "", ""
}
