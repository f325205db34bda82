package filter

import (
	"fmt"
	"slices"
)

// maxDepth bounds the parentheses and negations within each other; maxTokens the words
// of an expression, which the kernel's limit on instructions would refuse anyway.
const (
	maxDepth  = 100
	maxTokens = 8192
)

// parser reads an expression from left to right.
type parser struct {
	expression string
	tokens     []token
	at         int
	depth      int
	last       *qualifiers // of the primitive before, for 'port 80 or 443'
	bareVLAN   bool        // a vlan without identifier was read
}

// parse returns what the expression says. As in pcap-filter(7) and and or have the
// same precedence and are read from left to right; not binds closer.
func parse(expression string) (node, error) {
	tokens, err := lex(expression)
	if err != nil {
		return nil, err
	}
	p := parser{expression: expression, tokens: tokens}
	if len(tokens) > maxTokens {
		return nil, p.wrong(tokens[maxTokens], "the expression is too long: give its parts to several instances, or the networks in fewer prefixes")
	}
	if len(tokens) == 1 {
		return nil, p.wrong(tokens[0], "the expression is empty: leave -f out to capture everything")
	}
	n, err := p.chain(p.primitive)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.text != "" {
		return nil, p.unexpected(t)
	}
	return n, nil
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.text != "" {
		p.at++
	}
	return t
}

// take moves past the next token if it is one of words.
func (p *parser) take(words ...string) bool {
	if !slices.Contains(words, p.peek().text) || p.peek().text == "" {
		return false
	}
	p.at++
	return true
}

func (p *parser) wrong(t token, format string, args ...any) error {
	return &Error{p.expression, t.offset, t.text, fmt.Sprintf(format, args...)}
}

// unexpected says what is wrong with a token that cannot stand where it does.
func (p *parser) unexpected(t token) error {
	switch {
	case t.text == "":
		return p.wrong(t, "the expression is not finished: add what is missing, and quote all of it if it has spaces, as in -f 'port 53'")
	case t.text == ")":
		return p.wrong(t, "no ( belongs to this: remove it, or add the other")
	case t.text == "not", t.text == "!", p.starts(t.text):
		return p.wrong(t, "two conditions need 'and' or 'or' between them")
	}
	return p.unknown(t)
}

// chain reads what operand reads, joined by and and or.
func (p *parser) chain(operand func() (node, error)) (node, error) {
	left, err := p.negated(operand)
	for err == nil {
		t := p.peek().text
		if !p.take("and", "&&", "or", "||") {
			return left, nil
		}
		var right node
		if right, err = p.negated(operand); err != nil {
			break
		}
		if t == "and" || t == "&&" {
			left = and{left, right}
		} else {
			left = or{left, right}
		}
	}
	return nil, err
}

// negated reads one operand, or a chain of them in parentheses, after any nots.
func (p *parser) negated(operand func() (node, error)) (node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.wrong(p.peek(), "more than %d parentheses or negations within each other: write it flatter", maxDepth)
	}
	defer func() { p.depth-- }()
	if p.take("not", "!") {
		n, err := p.negated(operand)
		return not{n}, err
	}
	open := p.peek()
	if !p.take("(") {
		return operand()
	}
	n, err := p.chain(operand)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.text == "" {
		return nil, p.wrong(open, "this ( is not closed: add a )")
	} else if !p.take(")") {
		return nil, p.unexpected(t)
	}
	return n, nil
}
