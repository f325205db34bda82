package feeds

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a file, so that a hostile one costs little.
const (
	maxFileSize  = 4 << 20
	maxFlowDepth = 8 // brackets within brackets
	maxPerLine   = 4 // nested list or key marks on one line
)

// fileError is an error at a line of a file.
type fileError struct {
	file string
	line int
	err  error
}

func (e *fileError) Error() string {
	if e.line == 0 {
		return fmt.Sprintf("%s: %v", e.file, e.err)
	}
	return fmt.Sprintf("%s:%d: %v", e.file, e.line, e.err)
}

func (e *fileError) Unwrap() error { return e.err }

// decode reads one YAML document into v. Unknown and repeated keys are errors, and so
// are anchors, aliases and tags, which a pack has no use for.
func decode(file string, data []byte, v any) (err error) {
	// The YAML library is not proof against every input; a pack must not take the
	// sensor down.
	defer func() {
		if r := recover(); r != nil {
			err = &fileError{file: file, err: fmt.Errorf("reading YAML: %v: the file is not usable", r)}
		}
	}()
	if len(data) > maxFileSize {
		return &fileError{file: file, err: fmt.Errorf("the file has %d bytes, more than %d: split it", len(data), maxFileSize)}
	}
	tokens := lexer.Tokenize(string(data))
	if err := checkTokens(file, tokens); err != nil {
		return err
	}
	tree, err := parser.Parse(tokens, 0)
	if err != nil {
		return located(file, err)
	}
	body, err := onlyDocument(tree)
	if err != nil {
		return &fileError{file: file, err: err}
	}
	return located(file, meant(yaml.NodeToValue(body, v, yaml.Strict())))
}

func onlyDocument(tree *ast.File) (ast.Node, error) {
	var body ast.Node
	for _, d := range tree.Docs {
		if d.Body == nil {
			continue
		}
		if body != nil {
			return nil, errors.New("more than one YAML document: put each in a file of its own")
		}
		body = d.Body
	}
	if body == nil {
		return nil, errors.New("the file is empty")
	}
	return body, nil
}

// checkTokens refuses what would make parsing expensive or lies outside the format.
func checkTokens(file string, tokens token.Tokens) error {
	depth, line, marks := 0, 0, 0
	for _, t := range tokens {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType, token.MappingKeyType:
			return &fileError{file, t.Position.Line, fmt.Errorf("%q: anchors, aliases, tags and complex keys are not part of the format", t.Value)}
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType, token.MappingValueType:
			if t.Position.Line != line {
				line, marks = t.Position.Line, 0
			}
			if depth == 0 {
				marks++
			}
		}
		if depth > maxFlowDepth || marks > maxPerLine {
			return &fileError{file, t.Position.Line, errors.New("nested too deeply")}
		}
	}
	return nil
}

// located gives err the file and, where the library knows it, the line.
func located(file string, err error) error {
	if err == nil {
		return nil
	}
	var fe *fileError
	if errors.As(err, &fe) {
		fe.file = file
		return fe
	}
	var ye yaml.Error
	if errors.As(err, &ye) && ye.GetToken() != nil {
		return &fileError{file, ye.GetToken().Position.Line, errors.New(ye.GetMessage())}
	}
	return &fileError{file: file, err: err}
}

// decodeNode reads node into v and returns the line it begins on.
func decodeNode(node ast.Node, v any) (int, error) {
	line := nodeLine(node)
	err := meant(yaml.NodeToValue(node, v, yaml.Strict()))
	if err == nil {
		return line, nil
	}
	var fe *fileError
	if errors.As(err, &fe) {
		return line, fe
	}
	var ye yaml.Error
	if errors.As(err, &ye) && ye.GetToken() != nil {
		return line, &fileError{line: ye.GetToken().Position.Line, err: errors.New(ye.GetMessage())}
	}
	return line, &fileError{line: line, err: err}
}

func nodeLine(node ast.Node) int {
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
		node = m.Values[0].Key
	}
	if node == nil || node.GetToken() == nil || node.GetToken().Position == nil {
		return 0
	}
	return node.GetToken().Position.Line
}
