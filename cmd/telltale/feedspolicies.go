package main

import (
	"fmt"
	"strings"

	"telltale/feeds"
)

// policyRow is one policy in a list.
type policyRow struct {
	ID           string        `json:"id"`
	Title        string        `json:"title"`
	Citation     string        `json:"citation"`
	Issuer       string        `json:"issuer"`
	Jurisdiction string        `json:"jurisdiction"`
	Issued       string        `json:"issued"`
	Published    string        `json:"published,omitempty"`
	Effective    string        `json:"effective,omitempty"`
	Binds        string        `json:"binds"`
	Vendors      []string      `json:"vendors"`
	Counts       []feeds.Class `json:"counts"`
	Assets       []feeds.Asset `json:"assets,omitempty"`
	Severity     feeds.Level   `json:"severity"`
	Deadlines    []deadlineRow `json:"deadlines"`
	Scope        string        `json:"scope,omitempty"`
	Sources      []string      `json:"sources"`
}

type deadlineRow struct {
	Date         string `json:"date,omitempty"`
	Days         *int   `json:"days,omitempty"`
	BusinessDays bool   `json:"business_days,omitempty"`
	Starts       string `json:"starts,omitempty"`
	What         string `json:"what"`
}

func policyOf(p *feeds.Policy) policyRow {
	r := policyRow{
		ID: p.ID, Title: p.Title, Citation: p.Citation, Issuer: p.Issuer, Jurisdiction: p.Jurisdiction,
		Issued: p.Issued, Published: p.Published, Effective: p.Effective, Binds: p.Binds,
		Vendors: p.Vendors, Counts: p.Counts, Assets: p.Assets, Severity: p.Severity, Scope: p.Scope,
		Sources: p.Sources, Deadlines: []deadlineRow{},
	}
	for _, d := range p.Deadlines {
		starts := d.Starts
		if starts == "" {
			starts = p.Starts
		}
		r.Deadlines = append(r.Deadlines, deadlineRow{d.Date, d.Days, d.BusinessDays, string(starts), d.What})
	}
	return r
}

type feedsPoliciesCmd struct {
	packFlags
	Format string `enum:"text,json" default:"text" help:"text or json."`
}

// Run lists the policies.
func (c *feedsPoliciesCmd) Run(e *env) error {
	lib, err := c.library()
	if err != nil {
		return err
	}
	if c.Format == "json" {
		rows := []policyRow{}
		for _, p := range lib.Policies {
			rows = append(rows, policyOf(p))
		}
		return writeJSON(e.stdout, rows)
	}
	b := &strings.Builder{}
	for _, p := range lib.Policies {
		tellPolicy(b, p)
	}
	return e.print(b)
}

// tellPolicy writes all there is to know of a policy.
func tellPolicy(b *strings.Builder, p *feeds.Policy) {
	fmt.Fprintf(b, "%s\n  %s (%s, %s)\n  %s\n  issued %s", p.ID, p.Title, p.Issuer, p.Jurisdiction, p.Citation, p.Issued)
	for _, d := range []struct{ what, date string }{{"published", p.Published}, {"effective", p.Effective}} {
		if d.date != "" {
			fmt.Fprintf(b, ", %s %s", d.what, d.date)
		}
	}
	fmt.Fprintf(b, "\n  binds: %s\n  vendors: %s; counts: %s; severity: at most %s\n", p.Binds,
		strings.Join(p.Vendors, ", "), joined(p.Counts), p.Severity)
	if len(p.Assets) > 0 {
		fmt.Fprintf(b, "  speaks of these assets only: %s\n", joined(p.Assets))
	}
	for _, d := range p.Deadlines {
		fmt.Fprintf(b, "  deadline: %s%s\n", deadline(d), counted(p, d))
	}
	if p.Scope != "" {
		fmt.Fprintf(b, "  scope: %s\n", p.Scope)
	}
	fmt.Fprintf(b, "  source: %s (confidence %s)\n", strings.Join(p.Sources, "; "), p.Confidence)
}

// counted says what starts the clock of a deadline that has no date.
func counted(p *feeds.Policy, d feeds.Deadline) string {
	start := d.Starts
	if start == "" {
		start = p.Starts
	}
	if d.Date != "" || d.Days == nil {
		return ""
	}
	return map[feeds.Start]string{
		feeds.StartIssued:  " (counted from its issue)",
		feeds.StartFinding: " (counted from the finding)",
		feeds.StartReport:  " (counted from the report)",
	}[start]
}

func joined[T ~string | feeds.Class](list []T) string {
	var all []string
	for _, v := range list {
		all = append(all, fmt.Sprint(v))
	}
	return strings.Join(all, ", ")
}

func deadline(d feeds.Deadline) string {
	s := d.What
	if d.Days != nil {
		unit := "days"
		if d.BusinessDays {
			unit = "business days"
		}
		s = fmt.Sprintf("%d %s: %s", *d.Days, unit, s)
	}
	if d.Date != "" {
		s = d.Date + ", " + s
	}
	return s
}
