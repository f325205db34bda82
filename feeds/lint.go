package feeds

import (
	"cmp"
	"fmt"
	"slices"
)

// Severity says whether a Problem forbids the use of a pack.
type Severity string

// Severities.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning" // usable, but its provenance is in doubt
)

// Problem is something wrong or unwise in a Library.
type Problem struct {
	File     string
	Line     int // 1-based, 0 if the whole file is meant
	Severity Severity
	Rule     string // name of the rule, for instance public-suffix
	Text     string // what is wrong
	Hint     string // what to do
}

// String returns the Problem on one line.
func (p Problem) String() string {
	at := p.File
	if p.Line > 0 {
		at = fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s: %s: %s: %s (%s)", at, p.Severity, p.Rule, p.Text, p.Hint)
}

// linter holds what the rules need to know of the whole library.
type linter struct {
	lib      *Library
	owner    map[string]*Indicator // kind:value -> first to use it
	hosting  map[string]string     // apex -> company
	zones    map[string]*Indicator // suffix -> who has it, of all packs
	words    map[string]string     // labels of the packs' own domains and brands -> vendor
	problems []Problem
}

// indicatorRule judges one indicator; an empty text means no objection.
type indicatorRule struct {
	name     string
	severity Severity
	check    func(l *linter, p *Pack, i *Indicator) (text, hint string)
}

// packRule judges a pack as a whole and reports by itself.
type packRule struct {
	name  string
	check func(l *linter, p *Pack, rule string)
}

// Lint returns what is wrong or unwise in a library, by file and line.
func Lint(lib *Library) []Problem {
	l := &linter{
		lib: lib, owner: make(map[string]*Indicator), hosting: lib.SharedZones(),
		zones: make(map[string]*Indicator), words: make(map[string]string),
	}
	l.survey()
	for _, p := range lib.Packs {
		for _, i := range p.all() {
			l.indicator(p, i)
		}
		for _, r := range packRules {
			r.check(l, p, r.name)
		}
	}
	for _, p := range lib.Policies {
		l.policy(p)
	}
	l.shared(&lib.Shared)
	slices.SortStableFunc(l.problems, compareProblems)
	return l.problems
}

func compareProblems(a, b Problem) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Text, b.Text))
}

// all returns everything in the pack that is an Indicator.
func (p *Pack) all() []*Indicator {
	list := slices.Concat(p.Indicators, p.Lookalikes, p.Sinkholes)
	for _, w := range p.Walks {
		list = append(list, w.Indicator)
	}
	return list
}

func (l *linter) indicator(p *Pack, i *Indicator) {
	for _, r := range indicatorRules {
		if text, hint := r.check(l, p, i); text != "" {
			l.problems = append(l.problems, Problem{i.File, i.Line, r.severity, r.name, i.ID + ": " + text, hint})
		}
	}
}

func (l *linter) report(file string, line int, rule, text, hint string) {
	l.problems = append(l.problems, Problem{file, line, SeverityError, rule, text, hint})
}
