package importer

import (
	"errors"
	"strings"
)

// comparison is one value a STIX pattern asks for.
type comparison struct{ object, value string }

// maxPattern bounds a pattern in bytes.
const maxPattern = 32 << 10

// stixPattern returns the values of a pattern (STIX 2.1 §9) each of which satisfies it
// alone: comparisons by =, IN or ISSUBSET, joined by OR. The list is nil for a pattern
// that asks for more than that, or for objects that are of no use.
func stixPattern(pattern string) ([]comparison, error) {
	if len(pattern) > maxPattern {
		return nil, errors.New("it is too long")
	}
	tokens, err := stixTokens(pattern)
	if err != nil {
		return nil, err
	}
	p := patternReader{tokens: tokens}
	ok, err := p.pattern()
	if err != nil || !ok {
		return nil, err
	}
	return p.found, nil
}

// stixTokens cuts a pattern into words, literals (which keep the quote at their
// beginning) and marks.
func stixTokens(s string) ([]string, error) {
	var out []string
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimLeft(s, " \t\r\n") {
		switch {
		case s[0] == '\'':
			value, rest, ok := stixLiteral(s[1:])
			if !ok {
				return nil, errors.New("a string does not end")
			}
			out, s = append(out, "'"+value), rest
		case strings.IndexByte("[](),=", s[0]) >= 0:
			out, s = append(out, s[:1]), s[1:]
		default:
			end := strings.IndexAny(s, "[](),=' \t\r\n")
			if end < 0 {
				end = len(s)
			}
			out, s = append(out, s[:end]), s[end:]
		}
	}
	return out, nil
}

// stixLiteral reads a string up to its closing quote; backslash escapes.
func stixLiteral(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
			if i < len(s) {
				b.WriteByte(s[i])
			}
		case '\'':
			return b.String(), s[i+1:], true
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

// patternReader reads the tokens of a pattern.
type patternReader struct {
	tokens []string
	found  []comparison
}

var errPattern = errors.New("it is not of the form [object:property = 'value' OR ...]")

func (p *patternReader) take(t string) bool {
	if len(p.tokens) == 0 || p.tokens[0] != t {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *patternReader) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

// pattern reads observations joined by OR. It is false for a pattern that is
// well-formed as far as was read and asks for more.
func (p *patternReader) pattern() (bool, error) {
	for {
		open := 0
		for p.take("(") {
			open++
		}
		if !p.take("[") {
			return false, errPattern
		}
		if ok, err := p.observation(); err != nil || !ok {
			return false, err
		}
		for open > 0 && p.take(")") {
			open--
		}
		switch {
		case len(p.tokens) == 0 && open == 0:
			return true, nil
		case open > 0 || !p.take("OR"):
			return false, nil // AND, FOLLOWEDBY, qualifiers, groups
		}
	}
}

// observation reads comparisons joined by OR up to the closing bracket.
func (p *patternReader) observation() (bool, error) {
	for {
		object, property, ok := strings.Cut(p.next(), ":")
		if !ok {
			return false, errPattern
		}
		if (property != "value" && property != "number") || stixTypes[object] == nil {
			return false, nil
		}
		switch operator := p.next(); operator {
		case "=", "ISSUBSET":
			if !p.literal(object) {
				return false, errPattern
			}
		case "IN":
			if !p.set(object) {
				return false, errPattern
			}
		case "":
			return false, errPattern
		default:
			return false, nil // NOT, !=, LIKE, MATCHES, >, ISSUPERSET
		}
		if p.take("]") {
			return true, nil
		}
		if !p.take("OR") {
			if len(p.tokens) == 0 {
				return false, errPattern
			}
			return false, nil // AND
		}
	}
}

// literal reads one value.
func (p *patternReader) literal(object string) bool {
	t := p.next()
	value, quoted := strings.CutPrefix(t, "'")
	if t == "" || !quoted && object != "autonomous-system" {
		return false
	}
	p.found = append(p.found, comparison{object, value})
	return true
}

// set reads ('a', 'b').
func (p *patternReader) set(object string) bool {
	if !p.take("(") {
		return false
	}
	for p.literal(object) {
		if p.take(")") {
			return true
		}
		if !p.take(",") {
			return false
		}
	}
	return false
}
