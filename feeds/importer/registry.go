package importer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"telltale/feeds"
)

// Format is one form a list is published in.
type Format struct {
	Name string // as it is written in a configuration
	Help string // what it is, in a few words
	// Order is the place among the formats that are tried when none is named.
	Order int
	// Reach is what a name in it stands for unless the format itself or the operator
	// says otherwise.
	Reach feeds.Reach

	looks func(h *head) bool
	read  func(in *input, out *sink) error
}

var formats []*Format

func register(f Format) bool {
	formats = append(formats, &f)
	slices.SortStableFunc(formats, func(a, b *Format) int { return cmp.Compare(a.Order, b.Order) })
	return true
}

// Formats returns the registered formats in the order they are tried.
func Formats() []*Format { return slices.Clone(formats) }

// byName returns the format of that name.
func byName(name string) (*Format, error) {
	var known []string
	for _, f := range formats {
		if f.Name == name {
			return f, nil
		}
		known = append(known, f.Name)
	}
	return nil, fmt.Errorf("unknown format %q: use auto or one of %s", name, strings.Join(known, ", "))
}

// sniff returns the first format that the beginning of a list looks like.
func sniff(begin []byte) (*Format, error) {
	h := newHead(begin)
	for _, f := range formats {
		if f.looks(h) {
			return f, nil
		}
	}
	return nil, fmt.Errorf("cannot tell the format: it begins %.40q; name it with format", begin)
}
