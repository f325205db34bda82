package feeds

import (
	"fmt"
	"slices"
	"time"
)

// packRules are applied to every pack in this order.
var packRules = [...]packRule{
	{"vendor", vendorFields},
	{"source", sourceFields},
	{"policy", packPolicies},
	{"trap", hasTraps},
	{"trap", trapsHold},
}

func vendorFields(l *linter, p *Pack, rule string) {
	if p.Name == "" {
		l.report(p.File, 0, rule, "the vendor has no name", "give name")
	}
	if len(p.Country) != 2 || p.Country[0] < 'A' || p.Country[0] > 'Z' || p.Country[1] < 'A' || p.Country[1] > 'Z' {
		l.report(p.File, 0, rule, fmt.Sprintf("country is %q", p.Country), "give the two-letter code of the company's registry, in capitals")
	}
	if _, err := time.Parse(time.DateOnly, p.Version); err != nil {
		l.report(p.File, 0, rule, fmt.Sprintf("version is %q", p.Version), "give the date of the pack as YYYY-MM-DD")
	}
	for _, b := range p.Brands {
		if err := checkBrand(b); err != nil {
			l.report(p.File, 0, rule, err.Error(), "choose a word nobody else uses")
		}
	}
}

func sourceFields(l *linter, p *Pack, rule string) {
	for id, s := range p.Sources {
		if s.Ref == "" || s.Kind == "" || s.License == "" {
			l.problems = append(l.problems, Problem{
				p.File, 0, SeverityWarning, rule, "source " + id + " has no kind, ref or license",
				"say what it is, where it is found and on what terms",
			})
		}
	}
}

func packPolicies(l *linter, p *Pack, rule string) {
	for _, id := range p.Policies {
		if l.lib.Policy(id) == nil {
			l.report(p.File, 0, rule, "unknown policy "+id, "correct the id, or add the policy to policies.yaml")
		}
	}
}

// hasTraps wants a pack to say what it must not match, before somebody finds out.
func hasTraps(l *linter, p *Pack, rule string) {
	if len(p.Traps) == 0 && slices.ContainsFunc(p.Indicators, func(i *Indicator) bool { return i.Kind.IsName() }) {
		l.problems = append(l.problems, Problem{
			p.File, 0, SeverityWarning, rule, "the pack has no traps",
			"list names that resemble its own and belong to others",
		})
	}
}

// trapsHold holds the pack's traps and listed look-alikes against its own indicators.
func trapsHold(l *linter, p *Pack, rule string) {
	set, err := Compile(&Library{Packs: []*Pack{p}}, Options{})
	if err != nil {
		return // reported as malformed
	}
	test := func(line int, name string) {
		for _, m := range set.Name([]byte(name), nil) {
			if !m.Lookalike {
				l.report(p.File, line, rule, fmt.Sprintf("%s is matched by %s", name, m.Indicator.ID), "narrow the indicator, or remove the name from the traps and look-alikes")
			}
		}
	}
	for _, t := range p.Traps {
		test(t.Line, t.Name)
	}
	for _, i := range p.Lookalikes {
		test(i.Line, i.Value)
	}
}

// policy judges one policy.
func (l *linter) policy(p *Policy) {
	const rule = "policy"
	for _, v := range p.Vendors {
		if l.lib.Pack(v) == nil {
			l.report(p.File, p.Line, rule, fmt.Sprintf("%s: unknown vendor %q", p.ID, v), "correct the id, or add a pack")
		}
	}
	dates := []string{p.Issued, p.Published, p.Effective}
	for _, d := range p.Deadlines {
		l.deadline(p, d, rule)
	}
	for _, d := range dates {
		if d != "" && !isDate(d) {
			l.report(p.File, p.Line, rule, fmt.Sprintf("%s: date %q", p.ID, d), "write YYYY-MM-DD, YYYY-MM or YYYY")
		}
	}
	if p.Title == "" || p.Citation == "" || p.Jurisdiction == "" || p.Issued == "" || len(p.Sources) == 0 {
		l.report(p.File, p.Line, rule, p.ID+": title, citation, jurisdiction, issued or sources missing", "give all of them")
	}
	for _, c := range p.Counts {
		if c < Visited {
			l.report(p.File, p.Line, rule, p.ID+": counts "+c.String(), "count visited, likely, device or installed")
		}
	}
}

// deadline judges one deadline of a policy.
func (l *linter) deadline(p *Policy, d Deadline, rule string) {
	if d.Date != "" && !isDay(d.Date) {
		l.report(p.File, p.Line, rule, fmt.Sprintf("%s: the date of a deadline is %q", p.ID, d.Date), "give a day, YYYY-MM-DD")
	}
	if d.BusinessDays && d.Days == nil {
		l.report(p.File, p.Line, rule, p.ID+": business_days without days", "give days, or drop business_days")
	}
}

// isDay reports whether s is a day.
func isDay(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// isDate reports whether s is a day, a month or a year.
func isDate(s string) bool {
	for _, layout := range [...]string{time.DateOnly, "2006-01", "2006"} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}
