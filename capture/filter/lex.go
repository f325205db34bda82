package filter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// token is a word or a sign of an expression. Its text is empty at the end.
type token struct {
	text   string
	offset int
}

// quotes are the signs that word processors and web pages put where a shell wants ' or ".
const quotes = "\u2018\u2019\u201c\u201d\u00ab\u00bb\u0060\u00b4'\""

// lex cuts an expression into tokens. Signs that end a word are ( ) ! && ||.
func lex(expression string) ([]token, error) {
	var all []token
	for i := 0; i < len(expression); {
		r, size := utf8.DecodeRuneInString(expression[i:])
		switch {
		case unicode.IsSpace(r):
			i += size
		case strings.ContainsRune(quotes, r):
			return nil, &Error{expression, i, string(r), "a quotation mark inside the expression: put one pair of plain quotes around the whole of it, as in -f 'port 53 or port 443'"}
		case r == '(' || r == ')':
			all = append(all, token{expression[i : i+1], i})
			i++
		case r == '!' && !strings.HasPrefix(expression[i:], "!="):
			all = append(all, token{"!", i})
			i++
		default:
			n := wordLength(expression[i:])
			all = append(all, token{expression[i : i+n], i})
			i += n
		}
	}
	return append(all, token{"", len(expression)}), nil
}

// wordLength is the length of the word s begins with, which is not empty.
func wordLength(s string) int {
	for _, sign := range []string{"&&", "||"} {
		if strings.HasPrefix(s, sign) {
			return len(sign)
		}
	}
	for i, r := range s {
		if unicode.IsSpace(r) || r == '(' || r == ')' || i > 0 && (strings.HasPrefix(s[i:], "&&") || strings.HasPrefix(s[i:], "||")) {
			return i
		}
	}
	return len(s)
}
