package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"telltale/feeds"
)

type feedsCmd struct {
	List     feedsListCmd     `cmd:"" help:"List vendors with the number of their indicators by class."`
	Show     feedsShowCmd     `cmd:"" help:"Show a vendor's indicators with their sources."`
	Lint     feedsLintCmd     `cmd:"" help:"Check packs for entries that would mislead."`
	Match    feedsMatchCmd    `cmd:"" help:"Say which indicator a name or address meets, why, and from where."`
	Policies feedsPoliciesCmd `cmd:"" help:"List policies with their deadlines."`
	Import   feedsImportCmd   `cmd:"" help:"Show what a list of domains, addresses or URLs would give."`
	Test     feedsTestCmd     `cmd:"" help:"Hold names and addresses against the verdicts expected of them."`
	Diff     feedsDiffCmd     `cmd:"" help:"Show what differs between two directories or bundles of packs."`
	Update   feedsUpdateCmd   `cmd:"" help:"Fetch the packs and lists of the configuration that have an address."`
	Pack     feedsPackCmd     `cmd:"" help:"Make a bundle of a directory of packs."`
	Sign     feedsSignCmd     `cmd:"" help:"Sign a bundle."`
	Verify   feedsVerifyCmd   `cmd:"" help:"Check the signature and the content of a bundle."`
	Keygen   feedsKeygenCmd   `cmd:"" help:"Make a pair of keys for bundles, in the form of minisign."`
}

// packFlags choose the packs.
type packFlags struct {
	Packs  []string `help:"Add or override vendor packs from a directory or a bundle." placeholder:"DIR"`
	Config string   `short:"c" help:"Read packs and lists from a configuration file." placeholder:"FILE"`
}

func (f *packFlags) library() (*feeds.Library, error) {
	c, err := readConfig(f.Config)
	if err != nil {
		return nil, usage(err)
	}
	lib, err := loadPacks(append(c.Packs, f.Packs...), c.PackKey)
	if err != nil {
		return nil, fmt.Errorf("loading vendor packs: %w", err)
	}
	if err := new(knowledge).lists(c, lib); err != nil {
		return nil, fmt.Errorf("loading lists: %w", err)
	}
	return lib, nil
}

type feedsListCmd struct {
	packFlags
	Format string `enum:"text,json" default:"text" help:"text or json."`
}

// vendorRow is one vendor in a list.
type vendorRow struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Country    string         `json:"country"`
	Version    string         `json:"version"`
	Indicators int            `json:"indicators"`
	Classes    map[string]int `json:"classes"`
	Lookalikes int            `json:"lookalikes"`
	Sinkholes  int            `json:"sinkholes"`
	Policies   []string       `json:"policies"`
}

// Run lists the vendors.
func (c *feedsListCmd) Run(e *env) error {
	lib, err := c.library()
	if err != nil {
		return err
	}
	rows := []vendorRow{}
	for _, p := range lib.Packs {
		rows = append(rows, row(lib, p))
	}
	if c.Format == "json" {
		return writeJSON(e.stdout, rows)
	}
	b := &strings.Builder{}
	t := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	line(t, "VENDOR\tNAME\tCOUNTRY\tVERSION\tINSTALLED\tDEVICE\tLIKELY\tVISITED\tLOCATED\tLOOK-ALIKES\tPOLICIES")
	for _, r := range rows {
		line(t, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d", r.ID, r.Name, r.Country, r.Version,
			r.Classes["installed"], r.Classes["device"], r.Classes["likely"], r.Classes["visited"], r.Classes["located"], r.Lookalikes, len(r.Policies))
	}
	return flush(e, t, b)
}

func row(lib *feeds.Library, p *feeds.Pack) vendorRow {
	r := vendorRow{
		ID: p.ID, Name: p.Name, Country: p.Country, Version: p.Version, Indicators: len(p.Indicators),
		Classes: map[string]int{}, Lookalikes: len(p.Lookalikes), Sinkholes: len(p.Sinkholes), Policies: []string{},
	}
	for _, i := range p.Indicators {
		r.Classes[i.Implies.String()]++
	}
	for _, q := range lib.Policies {
		if q.Binding(p.ID) {
			r.Policies = append(r.Policies, q.ID)
		}
	}
	return r
}

type feedsShowCmd struct {
	packFlags
	Vendor string `arg:"" help:"Vendor id, as feeds list shows it."`
}

// Run shows one vendor.
func (c *feedsShowCmd) Run(e *env) error {
	lib, err := c.library()
	if err != nil {
		return err
	}
	p := lib.Pack(c.Vendor)
	if p == nil {
		return usage(fmt.Errorf("no pack for vendor %q: 'telltale feeds list' shows those there are", c.Vendor))
	}
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s: %s (%s), registered in %s, pack of %s\n", p.ID, p.Name, p.Parent, p.Country, p.Version)
	if len(p.Aliases) > 0 {
		fmt.Fprintf(b, "also known as: %s\n", strings.Join(p.Aliases, ", "))
	}
	t := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	line(t, "\nIMPLIES\tKIND\tVALUE\tFUNCTION\tCONFIDENCE\tSEEN\tSOURCES\tNOTE")
	for _, i := range p.Indicators {
		note := i.Note
		if i.Misleading {
			note = strings.TrimSuffix("misleading: "+note, ": ")
		}
		line(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", i.Implies, i.Kind, i.Value, i.Function, i.Confidence, i.Seen, strings.Join(i.Sources, ","), note)
	}
	return flush(e, t, b)
}

type feedsLintCmd struct {
	packFlags
	Dirs []string `arg:"" optional:"" name:"dir" help:"Directories with packs to check beside the embedded ones."`
}

// Run checks all packs; problems are an error.
func (c *feedsLintCmd) Run(e *env) error {
	c.Packs = append(c.Packs, c.Dirs...)
	lib, err := c.library()
	if err != nil {
		return err
	}
	bad := 0
	b := &strings.Builder{}
	for _, p := range feeds.Lint(lib) {
		fmt.Fprintln(b, p)
		if p.Severity == feeds.SeverityError {
			bad++
		}
	}
	if _, err := feeds.Compile(lib, feeds.Options{}); err != nil {
		return err
	}
	if bad > 0 {
		if err := e.print(b); err != nil {
			return err
		}
		return fmt.Errorf("%d problems: mend the packs and run this again", bad)
	}
	fmt.Fprintf(b, "%d packs, %d policies: no errors\n", len(lib.Packs), len(lib.Policies))
	return e.print(b)
}

type feedsMatchCmd struct {
	packFlags
	Queries []string `arg:"" name:"name-or-address" help:"Domain names, or addresses."`
}

// Run explains what each query meets; none met is exit status 1.
func (c *feedsMatchCmd) Run(e *env) error {
	lib, err := c.library()
	if err != nil {
		return err
	}
	set, err := feeds.Compile(lib, feeds.Options{})
	if err != nil {
		return err
	}
	met := false
	b := &strings.Builder{}
	for _, q := range c.Queries {
		x := set.Explain(q)
		if x.Err != nil {
			return usage(fmt.Errorf("%s: %w", printable(q), x.Err))
		}
		met = met || len(x.Matches) > 0
		explain(b, lib, &x)
	}
	if err := e.print(b); err != nil {
		return err
	}
	if !met {
		return &statusError{status: exitFailed}
	}
	return nil
}

func explain(w *strings.Builder, lib *feeds.Library, x *feeds.Explanation) {
	what := x.Name
	if x.Addr.IsValid() {
		what = x.Addr.String()
	}
	fmt.Fprintf(w, "%s\n", printable(what))
	if len(x.Matches) == 0 {
		fmt.Fprintln(w, "  no indicator matches")
	}
	for _, m := range x.Matches {
		i := m.Indicator
		how := ""
		switch {
		case m.Lookalike:
			how = " (a look-alike: no contact with the vendor)"
		case m.Sinkhole:
			how = " (a malware sinkhole: the host is infected)"
		case i.Misleading:
			how = " (misleading: never raises a finding)"
		}
		fmt.Fprintf(w, "  %s: %s %s%s\n", m.Vendor.Name, i.Kind, i.Value, how)
		fmt.Fprintf(w, "    function %s, implies at most %s, confidence %s, seen %s\n", i.Function, i.Implies, i.Confidence, i.Seen)
		if i.Product != "" {
			fmt.Fprintf(w, "    product %s\n", i.Product)
		}
		if i.Note != "" {
			fmt.Fprintf(w, "    note: %s\n", i.Note)
		}
		if i.Feed != "" {
			explainListed(w, &m, x)
			continue
		}
		p := lib.Pack(m.Vendor.ID)
		for _, s := range i.Sources {
			src := p.Sources[s]
			fmt.Fprintf(w, "    source %s: %s (%s)\n", s, src.Ref, src.License)
		}
		fmt.Fprintf(w, "    in %s:%d\n", i.File, i.Line)
	}
	for _, i := range x.Covered {
		fmt.Fprintf(w, "  also met, less specific: %s\n", i.ID)
	}
	for _, t := range x.Traps {
		fmt.Fprintf(w, "  near a trap of %s: %s (%s)\n", t.Vendor, t.Name, t.Why)
	}
	for _, f := range x.Facts {
		fmt.Fprintf(w, "  %s\n", f)
	}
}

// policyRow is one policy in a list.
type policyRow struct {
	ID           string        `json:"id"`
	Title        string        `json:"title"`
	Citation     string        `json:"citation"`
	Issuer       string        `json:"issuer"`
	Jurisdiction string        `json:"jurisdiction"`
	Issued       string        `json:"issued"`
	Binds        string        `json:"binds"`
	Vendors      []string      `json:"vendors"`
	Counts       []feeds.Class `json:"counts"`
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
		Issued: p.Issued, Binds: p.Binds, Vendors: p.Vendors, Counts: p.Counts, Scope: p.Scope,
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
		var counts []string
		for _, k := range p.Counts {
			counts = append(counts, k.String())
		}
		fmt.Fprintf(b, "%s\n  %s (%s, %s)\n  %s\n  binds: %s\n  vendors: %s; counts: %s\n", p.ID, p.Title, p.Issuer, p.Jurisdiction, p.Citation, p.Binds,
			strings.Join(p.Vendors, ", "), strings.Join(counts, ", "))
		for _, d := range p.Deadlines {
			fmt.Fprintf(b, "  deadline: %s\n", deadline(d))
		}
	}
	return e.print(b)
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

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}

// line adds a row to a table that is kept in memory, where writing cannot fail.
func line(t *tabwriter.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(t, format+"\n", args...)
}

// flush ends a table and prints what b holds.
func flush(e *env, t *tabwriter.Writer, b *strings.Builder) error {
	if err := t.Flush(); err != nil {
		return fmt.Errorf("making the table: %w", err)
	}
	return e.print(b)
}
