package feeds

import (
	"encoding/hex"
	"strings"

	"telltale/capture"
)

// readMAC reads a hardware address in the colon or hyphen form.
func readMAC(s string) (mac [6]byte, ok bool) {
	if len(s) != 17 || strings.Count(s, ":") != 5 && strings.Count(s, "-") != 5 {
		return mac, false
	}
	b, err := hex.DecodeString(strings.NewReplacer(":", "", "-", "").Replace(s))
	if err != nil || len(b) != len(mac) {
		return mac, false
	}
	return [6]byte(b), true
}

// explainHost explains a query that is a hardware address, or a field of an identity
// message with its value ("ssdp/server=Linux UPnP/1.0"); false if it is neither.
func (s *Set) explainHost(e *Explanation) bool {
	query := strings.TrimSpace(e.Query)
	if mac, ok := readMAC(query); ok {
		e.Text = string(capture.AppendMAC(nil, mac))
		e.Matches = s.MAC(mac, nil)
		if mac[0]&localBits != 0 {
			e.Facts = append(e.Facts, "locally administered or a group: it names no maker")
		}
		return true
	}
	if !strings.Contains(query, "=") {
		return false
	}
	key, value, err := parseIdentity(query)
	if e.Text, e.Err = query, err; err != nil {
		return true
	}
	e.Matches = s.Identity(key.proto, &capture.IdentityField{Key: key.field, Value: []byte(value)}, nil)
	return true
}
