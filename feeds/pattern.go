package feeds

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// maxPattern bounds the length of a regular expression in a pack.
const maxPattern = 512

// pattern is a regular expression with the literal text it must begin and end with,
// so that most inputs are refused without running it.
type pattern struct {
	head []byte
	tail []byte
	re   *regexp.Regexp
}

// match reports whether b matches.
func (p *pattern) match(b []byte) bool {
	return bytes.HasPrefix(b, p.head) && bytes.HasSuffix(b, p.tail) && p.re.Match(b)
}

// compilePattern compiles an expression anchored at its beginning (^), or at its end
// ($) with literal text before it.
func compilePattern(expr string) (pattern, error) {
	if len(expr) > maxPattern {
		return pattern{}, fmt.Errorf("the expression has %d bytes: give at most %d", len(expr), maxPattern)
	}
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return pattern{}, fmt.Errorf("reading the expression: %w", err)
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return pattern{}, fmt.Errorf("compiling the expression: %w", err)
	}
	p := pattern{re: re}
	begin, end := p.literals(tree.Simplify())
	if !begin && (!end || len(p.tail) == 0) {
		return pattern{}, errors.New("the expression is not anchored: begin it with ^, or end it with text and $")
	}
	return p, nil
}

// literals fills head and tail from the tree of an expression and reports where it is
// anchored.
func (p *pattern) literals(t *syntax.Regexp) (begin, end bool) {
	parts := []*syntax.Regexp{t}
	if t.Op == syntax.OpConcat {
		parts = t.Sub
	}
	n := len(parts)
	begin = parts[0].Op == syntax.OpBeginText
	end = parts[n-1].Op == syntax.OpEndText
	if begin && n > 1 {
		p.head = literal(parts[1])
	}
	if end && n > 1 {
		p.tail = literal(parts[n-2])
	}
	return begin, end
}

// literal returns the text of a node that matches nothing else, nil for other nodes.
func literal(t *syntax.Regexp) []byte {
	if t.Op != syntax.OpLiteral || t.Flags&syntax.FoldCase != 0 {
		return nil
	}
	return []byte(string(t.Rune))
}

// nameAnchor returns the domain below which every match of a regular expression over
// names lies: the literal text at its end, from the first label boundary on. Both ends
// must be anchored.
func nameAnchor(expr string) (string, pattern, error) {
	p, err := compilePattern(expr)
	if err != nil {
		return "", pattern{}, err
	}
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return "", pattern{}, fmt.Errorf("reading the expression: %w", err)
	}
	begin, end := p.literals(tree.Simplify())
	_, domain, ok := strings.Cut(string(p.tail), ".")
	if !begin || !end || !ok || domain == "" {
		return "", pattern{}, errors.New(`the expression must begin with ^ and end with a literal domain, as in \.example\.com$`)
	}
	return domain, p, nil
}

// targetPath returns the path of an HTTP request target (RFC 9112 §3.2) without the query;
// of an absolute-form target, as sent to a proxy, without scheme and authority.
func targetPath(t []byte) []byte {
	t = targetQuery(t)
	if i := bytes.IndexByte(t, '?'); i >= 0 {
		t = t[:i]
	}
	return t
}

// targetQuery is targetPath with the query.
func targetQuery(t []byte) []byte {
	if len(t) == 0 || t[0] == '/' {
		return t
	}
	end := len(t)
	if i := bytes.IndexByte(t, '?'); i >= 0 {
		end = i
	}
	i := bytes.Index(t[:end], []byte("://"))
	if i < 0 {
		return t
	}
	i += 3
	if j := bytes.IndexByte(t[i:end], '/'); j >= 0 {
		return t[i+j:]
	}
	return nil
}
