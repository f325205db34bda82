package feeds

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// packFile is a pack as it is written.
type packFile struct {
	Vendor     `yaml:",inline"`
	Version    string            `yaml:"version"`
	Brands     []string          `yaml:"brands"`
	Roles      []RoleNote        `yaml:"roles"`
	Notes      []string          `yaml:"notes"`
	Sources    map[string]Source `yaml:"sources"`
	Indicators []entry           `yaml:"indicators"`
	Behaviours []entry           `yaml:"behaviours"`
	Lookalikes []entry           `yaml:"lookalikes"`
	Sinkholes  []entry           `yaml:"sinkholes"`
	Traps      []trapEntry       `yaml:"traps"`
}

// entry is one or more facts of the same kind and standing. Line is where it begins.
type entry struct {
	Line int `json:"line"`
	entryFields
}

// entryFields are all text: the YAML library is slow at types that read text themselves.
type entryFields struct {
	Kind       string            `yaml:"kind" json:"kind,omitempty"`
	Value      string            `yaml:"value" json:"value,omitempty"`
	Values     []string          `yaml:"values" json:"values,omitempty"`
	Product    string            `yaml:"product" json:"product,omitempty"`
	Function   string            `yaml:"function" json:"function,omitempty"`
	Implies    string            `yaml:"implies" json:"implies,omitempty"`
	Confidence string            `yaml:"confidence" json:"confidence,omitempty"`
	Sources    []string          `yaml:"sources" json:"sources,omitempty"`
	Seen       string            `yaml:"seen" json:"seen,omitempty"`
	Note       string            `yaml:"note" json:"note,omitempty"`
	Shared     bool              `yaml:"shared" json:"shared,omitempty"`
	Misleading bool              `yaml:"misleading" json:"misleading,omitempty"`
	Listener   string            `yaml:"listener" json:"listener,omitempty"`
	Products   map[string]string `yaml:"products" json:"products,omitempty"`
	Names      []string          `yaml:"names" json:"names,omitempty"`
	Resolvers  []string          `yaml:"resolvers" json:"resolvers,omitempty"`
	Min        int               `yaml:"min" json:"min,omitempty"`
}

// UnmarshalYAML implements yaml.NodeUnmarshaler to keep the line.
func (e *entry) UnmarshalYAML(n ast.Node) (err error) {
	e.Line, err = decodeNode(n, &e.entryFields)
	return err
}

type trapEntry struct {
	Line int `json:"line"`
	trapFields
}

type trapFields struct {
	Names []string `yaml:"names"`
	Why   string   `yaml:"why"`
}

// UnmarshalYAML implements yaml.NodeUnmarshaler to keep the line.
func (e *trapEntry) UnmarshalYAML(n ast.Node) (err error) {
	e.Line, err = decodeNode(n, &e.trapFields)
	return err
}

// pack turns what was written into a Pack.
func (f *packFile) pack(file string) (*Pack, error) {
	p := &Pack{
		Vendor: f.Vendor, Version: f.Version, Brands: f.Brands, Roles: f.Roles,
		Notes: f.Notes, Sources: f.Sources, File: file,
	}
	if !validID(p.ID) {
		return nil, &fileError{file: file, err: fmt.Errorf("id %q: use lower-case letters, digits and hyphens", p.ID)}
	}
	var errs []error
	for _, e := range f.Indicators {
		list, err := e.indicators(p)
		p.Indicators = append(p.Indicators, list...)
		errs = append(errs, err)
	}
	for _, e := range f.Lookalikes {
		list, err := e.fixed(p, KindLookalike, FuncLookalike)
		p.Lookalikes = append(p.Lookalikes, list...)
		errs = append(errs, err)
	}
	for _, e := range f.Sinkholes {
		list, err := e.fixed(p, KindSinkhole, FuncSinkhole)
		p.Sinkholes = append(p.Sinkholes, list...)
		errs = append(errs, err)
	}
	for _, e := range f.Behaviours {
		w, err := e.walk(p)
		if err != nil {
			errs = append(errs, &fileError{file, e.Line, err})
			continue
		}
		p.Walks = append(p.Walks, w)
	}
	for _, t := range f.Traps {
		for _, n := range t.Names {
			p.Traps = append(p.Traps, Trap{Name: n, Why: t.Why, Line: t.Line})
		}
	}
	return p, errors.Join(errs...)
}

// validID reports whether s may name a pack or a policy.
func validID(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// magic returns the bytes a body_magic value stands for: hexadecimal digits after
// "hex:", else the text itself.
func magic(value string) ([]byte, error) {
	digits, ok := strings.CutPrefix(value, "hex:")
	if !ok {
		return []byte(value), nil
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return nil, fmt.Errorf("reading hexadecimal digits: %w", err)
	}
	return b, nil
}
