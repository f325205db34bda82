package feeds

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

type policyFile struct {
	Policies []policyEntry `yaml:"policies"`
}

type policyEntry struct {
	Line int `json:"line"`
	policyFields
}

// policyFields is a policy as it is written.
type policyFields struct {
	ID           string          `yaml:"id"`
	Citation     string          `yaml:"citation"`
	Title        string          `yaml:"title"`
	Issuer       string          `yaml:"issuer"`
	Jurisdiction string          `yaml:"jurisdiction"`
	Issued       string          `yaml:"issued"`
	Published    string          `yaml:"published"`
	Effective    string          `yaml:"effective"`
	Binds        string          `yaml:"binds"`
	Starts       string          `yaml:"starts"`
	Deadlines    []deadlineEntry `yaml:"deadlines"`
	Counts       []string        `yaml:"counts"`
	Assets       []string        `yaml:"assets"`
	Severity     string          `yaml:"severity"`
	Vendors      []string        `yaml:"vendors"`
	Scope        string          `yaml:"scope"`
	Sources      []string        `yaml:"sources"`
	Confidence   string          `yaml:"confidence"`
}

type deadlineEntry struct {
	Days         *int   `yaml:"days"`
	What         string `yaml:"what"`
	Date         string `yaml:"date"`
	BusinessDays bool   `yaml:"business_days"`
	Starts       string `yaml:"starts"`
}

// UnmarshalYAML implements yaml.NodeUnmarshaler to keep the line.
func (e *policyEntry) UnmarshalYAML(n ast.Node) (err error) {
	e.Line, err = decodeNode(n, &e.policyFields)
	return err
}

// policy turns what was written into a Policy, with defaults for what was not.
func (e *policyEntry) policy(file string) (*Policy, error) {
	p := &Policy{
		ID: e.ID, Citation: e.Citation, Title: e.Title, Issuer: e.Issuer, Jurisdiction: e.Jurisdiction,
		Issued: e.Issued, Published: e.Published, Effective: e.Effective, Binds: e.Binds,
		Starts: StartIssued, Severity: LevelHigh, Vendors: e.Vendors, Scope: e.Scope, Sources: e.Sources,
		File: file, Line: e.Line,
	}
	errs := []error{
		parseText(&p.Starts, e.Starts), parseText(&p.Confidence, e.Confidence), parseText(&p.Severity, e.Severity),
	}
	for _, a := range e.Assets {
		var asset Asset
		errs = append(errs, asset.UnmarshalText([]byte(a)))
		p.Assets = append(p.Assets, asset)
	}
	for _, c := range e.Counts {
		class, err := ParseClass(c)
		p.Counts, errs = append(p.Counts, class), append(errs, err)
	}
	if len(p.Counts) == 0 {
		p.Counts = []Class{Likely, Device, Installed}
	}
	for _, d := range e.Deadlines {
		out := Deadline{Days: d.Days, What: d.What, Date: d.Date, BusinessDays: d.BusinessDays}
		errs = append(errs, parseText(&out.Starts, d.Starts))
		p.Deadlines = append(p.Deadlines, out)
	}
	return p, errors.Join(append(errs, p.check())...)
}

// addPolicies reads a policy file; a policy replaces one of the same id.
func (l *Library) addPolicies(file string, data []byte, sum [32]byte) error {
	var f policyFile
	if err := l.forms.read(file, data, sum, &f); err != nil {
		return err
	}
	var errs []error
	for _, e := range f.Policies {
		p, err := e.policy(file)
		if err != nil {
			errs = append(errs, &fileError{file, e.Line, err})
			continue
		}
		i, found := slices.BinarySearchFunc(l.Policies, p.ID, func(q *Policy, id string) int { return strings.Compare(q.ID, id) })
		if found && l.Policies[i].File == file {
			errs = append(errs, &fileError{file, p.Line, fmt.Errorf("policy %s is given twice", p.ID)})
		} else if found {
			l.Policies[i] = p
		} else {
			l.Policies = slices.Insert(l.Policies, i, p)
		}
	}
	return errors.Join(errs...)
}

func (p *Policy) check() error {
	if !validID(p.ID) {
		return fmt.Errorf("policy id %q: use lower-case letters, digits, dots and hyphens", p.ID)
	}
	for _, d := range p.Deadlines {
		if d.Days != nil && (*d.Days < 0 || *d.Days > maxDays) {
			return fmt.Errorf("policy %s: a deadline of %d days: give 0 to %d", p.ID, *d.Days, maxDays)
		}
		if d.What == "" {
			return fmt.Errorf("policy %s: a deadline must say what is due", p.ID)
		}
	}
	return nil
}
