package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"telltale/feeds"
	"telltale/feeds/importer"
)

type feedsImportCmd struct {
	packFlags
	Files      []string `arg:"" optional:"" name:"file" help:"Lists; gzip and zstd are recognised."`
	Format     string   `default:"auto" help:"Format of the lists; --formats shows those there are." placeholder:"NAME"`
	Formats    bool     `help:"List the formats."`
	Vendor     string   `help:"Vendor the entries speak of; default: the name of the file." placeholder:"ID"`
	Product    string   `help:"Product they speak of." placeholder:"NAME"`
	Function   string   `default:"web" help:"What the endpoints are for (packs/README.md)."`
	Implies    string   `default:"visited" help:"The most a contact shows: located, visited, likely, device, installed."`
	Confidence string   `default:"medium" help:"high, medium or low."`
	Match      string   `help:"Take every name as exact or suffix; default: what the format says." placeholder:"HOW"`
	Country    []string `help:"Countries to take of a registry's statistics." placeholder:"CC"`
	AS         []uint32 `name:"as" help:"Autonomous systems to take of a list of prefixes." placeholder:"ASN"`
	MinScore   int      `help:"Least score of a reputation list." placeholder:"N"`
	MaxBad     float64  `default:"0.1" help:"Share of bad lines above which a list is refused."`
	MaxShown   int      `default:"10" help:"Bad lines shown."`
	To         string   `enum:"none,list,pack" default:"none" help:"Write what was taken to standard output: as a plain list, or as a pack to be reviewed. none, list or pack."`
}

// Run reads the lists and says what was taken of each.
func (c *feedsImportCmd) Run(e *env) error {
	if c.Formats {
		return listFormats(e)
	}
	if len(c.Files) == 0 {
		return usage(errors.New("no list: name the files to look at"))
	}
	lib, err := c.library()
	if err != nil {
		return err
	}
	zones := lib.SharedZones()
	var errs []error
	for _, path := range c.Files {
		errs = append(errs, c.one(e, path, zones))
	}
	return errors.Join(errs...)
}

func listFormats(e *env) error {
	b := &strings.Builder{}
	for _, f := range importer.Formats() {
		fmt.Fprintf(b, "%-17s %s\n", f.Name, f.Help)
	}
	return e.print(b)
}

// one reads one list. The account of it goes to standard error if the entries are
// written.
func (c *feedsImportCmd) one(e *env, path string, zones map[string]string) error {
	conf := feedConfig{
		Path: path, Format: c.Format, Vendor: c.Vendor, Product: c.Product, Function: c.Function,
		Implies: c.Implies, Confidence: c.Confidence, Match: c.Match, Countries: c.Country, ASNs: c.AS,
		MinScore: c.MinScore, MaxBad: &c.MaxBad,
	}
	conf = conf.withDefaults()
	f, err := conf.feed()
	if err != nil {
		return usage(fmt.Errorf("%s: %w", path, err))
	}
	opts := conf.options(zones)
	opts.MaxShown = c.MaxShown
	if err := opts.Validate(); err != nil {
		return usage(err)
	}
	f, rep, err := conf.readWith(f, opts)
	if rep != nil {
		account := e.stdout
		if c.To != "none" {
			account = e.stderr
		}
		if _, err := io.WriteString(account, printable(described(path, f, rep))); err != nil {
			return fmt.Errorf("writing to standard output: %w", err)
		}
	}
	if err != nil || c.To == "none" {
		return err
	}
	w := bufio.NewWriter(e.stdout)
	if c.To == "list" {
		writeList(w, f)
	} else {
		err = writePack(w, f, conf.Confidence)
	}
	if err := errors.Join(err, w.Flush()); err != nil {
		return fmt.Errorf("writing the entries: %w", err)
	}
	return nil
}

// describe says what became of a list.
func described(path string, f *feeds.Feed, rep *importer.Report) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s: read as %s, %d lines\n", path, rep.Format, rep.Lines)
	fmt.Fprintf(b, "  taken: %d names, %d ranges, %d ASes, %d URLs\n", rep.Names, rep.Prefixes, rep.ASNs, rep.URLs)
	if double := rep.Taken() - distinct(f); double > 0 {
		fmt.Fprintf(b, "  given more than once: %d\n", double)
	}
	for _, what := range sortedSkips(rep.Skipped) {
		fmt.Fprintf(b, "  left out: %d %s\n", rep.Skipped[what], what)
	}
	if rep.Bad > 0 {
		fmt.Fprintf(b, "  bad: %d, a share of %.3f\n", rep.Bad, rep.Share())
	}
	for _, l := range rep.Shown {
		fmt.Fprintf(b, "    %s\n", l)
	}
	if more := rep.Bad - len(rep.Shown); more > 0 {
		fmt.Fprintf(b, "    and %d more\n", more)
	}
	return b.String()
}

// distinct counts the entries that differ.
func distinct(f *feeds.Feed) int { return len(entries(f)) }

// entries returns the entries as a plain list writes them, sorted, each once.
func entries(f *feeds.Feed) []string {
	list := make([]string, 0, f.Len())
	for n, r := range f.Names() {
		list = append(list, nameEntry(n, r))
	}
	for _, p := range f.Prefixes() {
		list = append(list, p.String())
	}
	for _, n := range f.ASNs() {
		list = append(list, fmt.Sprintf("AS%d", n))
	}
	for _, u := range f.URLs() {
		list = append(list, "http://"+u)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func nameEntry(name []byte, r feeds.Reach) string {
	switch r {
	case feeds.ReachSuffix:
		return "." + string(name)
	case feeds.ReachBelow:
		return "*." + string(name)
	}
	return "=" + string(name)
}

// writeList writes the entries one a line, as the plain format reads them.
func writeList(w io.Writer, f *feeds.Feed) {
	for _, e := range entries(f) {
		_, _ = fmt.Fprintln(w, e) // a bufio.Writer keeps its error
	}
}

// maxPackEntries bounds the entries of a pack made of a list: packs are for people.
const maxPackEntries = 20_000

// writePack writes a pack of names and ranges, for somebody to go through.
func writePack(w io.Writer, f *feeds.Feed, confidence string) error {
	if f.Len() > maxPackEntries {
		return fmt.Errorf("%d entries are too many for a pack: use the list itself, under feeds in the configuration", f.Len())
	}
	exact, suffix, ranges, ases := packValues(f)
	today := time.Now().UTC().Format(time.DateOnly)
	put := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
	put("# Made of %s. Go through it, and lint it, before use.\n", printable(f.File))
	put("id: %s\nname: %s\nversion: %s\ncountry: XX\nindicators:\n", f.Vendor.ID, f.Vendor.ID, today)
	for _, s := range []struct {
		kind    string
		values  []string
		implies feeds.Class
	}{{"exact", exact, f.Implies}, {"suffix", suffix, f.Implies}, {"cidr", ranges, feeds.Located}, {"asn", ases, feeds.Located}} {
		if len(s.values) == 0 {
			continue
		}
		put("  - kind: %s\n    values:\n", s.kind)
		for _, v := range s.values {
			put("      - %q\n", v)
		}
		if f.Product != "" {
			put("    product: %q\n", f.Product)
		}
		put("    function: %s\n    implies: %s\n    confidence: %s\n    sources: [list]\n    seen: %s\n", f.Function, s.implies, confidence, f.Seen)
	}
	put("sources:\n  list: {kind: list, ref: %q, license: unknown}\n", f.Source)
	return nil
}

// packValues returns the entries a pack can hold, by kind, each once.
func packValues(f *feeds.Feed) (exact, suffix, ranges, ases []string) {
	for n, r := range f.Names() {
		if r == feeds.ReachExact {
			exact = append(exact, string(n))
		} else {
			suffix = append(suffix, string(n))
		}
	}
	for _, p := range f.Prefixes() {
		ranges = append(ranges, p.String())
	}
	for _, n := range f.ASNs() {
		ases = append(ases, fmt.Sprint(n))
	}
	for _, list := range []*[]string{&exact, &suffix, &ranges, &ases} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return exact, suffix, ranges, ases
}
