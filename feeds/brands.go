package feeds

import "fmt"

// Lengths of brands in bytes.
const (
	minBrand     = 4
	minTypoBrand = 7 // the shortest brand a misspelling is looked for
	maxBrand     = 40
)

func checkBrand(token string) error {
	for _, c := range token {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return fmt.Errorf("brand %q: use lower-case letters and digits only", token)
		}
	}
	if len(token) < minBrand || len(token) > maxBrand {
		return fmt.Errorf("brand %q: give %d to %d letters", token, minBrand, maxBrand)
	}
	return nil
}

// hasWord reports whether word stands in s, alone or parted by hyphens.
func hasWord(s []byte, word string) bool {
	for i := 0; i+len(word) <= len(s); i++ {
		end := i + len(word)
		if (i == 0 || s[i-1] == '-') && (end == len(s) || s[end] == '-') && string(s[i:end]) == word {
			return true
		}
	}
	return false
}

// specialTLD reports whether a top-level domain is for local use: the names of local
// hosts are nobody's imitation (RFC 6761, RFC 6762, RFC 8375, RFC 9476; and those
// that sites use without being told to).
func specialTLD(tld []byte) bool {
	switch string(tld) {
	case "alt", "arpa", "corp", "home", "internal", "intranet", "invalid", "lan",
		"local", "localdomain", "localhost", "onion", "private", "test":
		return true
	}
	return false
}

// oneEdit reports whether one insertion, deletion, substitution or exchange of
// neighbours, and not none, turns a into b.
func oneEdit(a []byte, b string) bool {
	if len(a) > len(b)+1 || len(b) > len(a)+1 {
		return false
	}
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	if i == len(a) && i == len(b) {
		return false
	}
	x, y := a[i:], b[i:]
	switch {
	case len(x) > len(y):
		return string(x[1:]) == y
	case len(x) < len(y):
		return string(x) == y[1:]
	case string(x[1:]) == y[1:]:
		return true
	}
	return len(x) > 1 && x[0] == y[1] && x[1] == y[0] && string(x[2:]) == y[2:]
}
