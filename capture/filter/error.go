package filter

import (
	"errors"
	"fmt"
	"strings"
)

// Error says what is wrong with an expression, where, and what to write instead.
type Error struct {
	Expression string
	Offset     int    // of the word, in bytes from 0
	Word       string // empty at the end of the expression
	Problem    string
}

// Error returns the problem with the expression and a mark under the word.
func (e *Error) Error() string {
	at := "at its end"
	if e.Word != "" {
		at = fmt.Sprintf("at %q, position %d", e.Word, e.Offset+1)
	}
	return fmt.Sprintf("capture filter, %s: %s\n  %s\n  %s^", at, e.Problem, e.Expression, strings.Repeat(" ", e.column()))
}

// column is the number of characters before the word.
func (e *Error) column() int { return len([]rune(e.Expression[:min(e.Offset, len(e.Expression))])) }

// errValue says that a word is not the value it should be; the caller says which.
var errValue = errors.New("not such a value")
