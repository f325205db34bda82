package feeds

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
)

// meant adds to an error about an unknown field which of the fields of v may be meant.
func meant(err error, v any) error {
	var unknown *yaml.UnknownFieldError
	if !errors.As(err, &unknown) || unknown.GetToken() == nil {
		return err
	}
	name := unknown.GetToken().Value
	known := fieldNames(reflect.TypeOf(v), nil)
	hint := "use one of " + strings.Join(known, ", ")
	if near := nearest(name, known); near != "" {
		hint = "did you mean " + near + "?"
	}
	return &fileError{line: unknown.GetToken().Position.Line, err: fmt.Errorf("unknown field %q: %s", name, hint)}
}

// fieldNames appends the YAML names of the fields of a struct, those of embedded structs too.
func fieldNames(t reflect.Type, dst []string) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return dst
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			dst = fieldNames(f.Type, dst)
			continue
		}
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" {
			dst = append(dst, name)
		}
	}
	return dst
}

// nearest returns the word of list that is at most two edits, and less than half of it,
// away from s; the first of those that are equally near.
func nearest(s string, list []string) string {
	best, near := 3, ""
	for _, w := range list {
		if d := edits(s, w); d < best && 2*d < len(w) {
			best, near = d, w
		}
	}
	return near
}

// edits returns the Levenshtein distance of two short words.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			corner, row[j+1] = row[j+1], min(corner+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
