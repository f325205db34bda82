package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"telltale/feeds"
)

type feedsCmd struct {
	List     feedsListCmd     `cmd:"" help:"List vendors with the number of their indicators by class."`
	Show     feedsShowCmd     `cmd:"" help:"Show a vendor's indicators with their sources."`
	Lint     feedsLintCmd     `cmd:"" help:"Check packs for entries that would mislead."`
	Match    feedsMatchCmd    `cmd:"" help:"Say which indicator a name, address or identity meets, why, and from where."`
	Policies feedsPoliciesCmd `cmd:"" help:"List policies with their deadlines."`
	Variants feedsVariantsCmd `cmd:"" help:"Make the names an imitator of a vendor or domain might choose."`
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

// set returns all packs, and what they are compiled to.
func (f *packFlags) set() (*feeds.Library, *feeds.Set, error) {
	lib, err := f.library()
	if err != nil {
		return nil, nil, err
	}
	set, err := feeds.Compile(lib, feeds.Options{})
	return lib, set, err
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
	Dirs       []string `arg:"" optional:"" name:"dir" help:"Directories with packs to check beside the embedded ones."`
	StaleAfter int      `default:"1095" help:"Warn of entries whose newest source is older than that many days; 0 for no warning." placeholder:"DAYS"`
}

// Run checks all packs; problems are an error.
func (c *feedsLintCmd) Run(e *env) error {
	c.Packs = append(c.Packs, c.Dirs...)
	lib, err := c.library()
	if err != nil {
		return err
	}
	problems := feeds.Lint(lib)
	if c.StaleAfter > 0 {
		problems = append(problems, feeds.Stale(lib, time.Now(), time.Duration(c.StaleAfter)*24*time.Hour)...)
	}
	bad := 0
	b := &strings.Builder{}
	for _, p := range problems {
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
	fmt.Fprintf(b, "%d packs, %d policies: no errors%s\n", len(lib.Packs), len(lib.Policies), warnings(len(problems)))
	return e.print(b)
}

func warnings(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return ", 1 warning"
	}
	return fmt.Sprintf(", %d warnings", n)
}

type feedsMatchCmd struct {
	packFlags
	Queries []string `arg:"" name:"name-or-address" help:"Domain names, addresses, hardware addresses, or identity fields with their value (ssdp/server=TEXT)."`
}

// Run explains what each query meets; none met is exit status 1.
func (c *feedsMatchCmd) Run(e *env) error {
	lib, set, err := c.set()
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
	what := x.Name + x.Text
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
