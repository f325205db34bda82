package feeds

import "bytes"

// maxBody is how much of a body is searched for texts, in bytes.
const maxBody = 4096

// bodyRule is an indicator over the first bytes of a body.
type bodyRule struct {
	match  Match
	want   []byte
	atHead bool // want must be at offset 0
	tokens [][]byte
}

// Body appends the Matches of the first bytes of an HTTP response body; product
// families named in it are marked in Match.Families.
func (s *Set) Body(body []byte, dst []Match) []Match {
	body = body[:min(len(body), maxBody)]
	for i := range s.bodies {
		r := &s.bodies[i]
		if r.atHead && !bytes.HasPrefix(body, r.want) || !r.atHead && !bytes.Contains(body, r.want) {
			continue
		}
		m := r.match
		for j, t := range r.tokens {
			if hasToken(body, t) {
				m.Families |= 1 << j
			}
		}
		dst = append(dst, m)
	}
	return dst
}

// hasToken reports whether token stands in body with no letter or digit beside it.
func hasToken(body, token []byte) bool {
	for off := 0; ; {
		i := bytes.Index(body[off:], token)
		if i < 0 {
			return false
		}
		i += off
		end := i + len(token)
		if (i == 0 || !alphanumeric(body[i-1])) && (end == len(body) || !alphanumeric(body[end])) {
			return true
		}
		off = i + 1
	}
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}
