package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"telltale/feeds"
)

type feedsDiffCmd struct {
	Old   string `arg:"" help:"Directory or bundle of packs; 'embedded' is what the program holds."`
	New   string `arg:"" help:"Directory or bundle of packs; 'embedded' is what the program holds."`
	Names string `help:"Say also how the reach on these names, one a line, changes." placeholder:"FILE"`
}

// Run shows which indicators were added, removed and changed, by vendor. A difference
// is exit status 1, as of diff(1).
func (c *feedsDiffCmd) Run(e *env) error {
	old, err := diffSide(c.Old)
	if err != nil {
		return err
	}
	now, err := diffSide(c.New)
	if err != nil {
		return err
	}
	b := &strings.Builder{}
	differs := false
	for _, id := range vendorIDs(old, now) {
		differs = diffVendor(b, id, old.Pack(id), now.Pack(id)) || differs
	}
	differs = diffPolicies(b, old, now) || differs
	if c.Names != "" {
		changed, err := diffReach(b, c.Names, old, now)
		if err != nil {
			return err
		}
		differs = differs || changed
	}
	if !differs {
		b.WriteString("no difference\n")
	}
	if err := e.print(b); err != nil || !differs {
		return err
	}
	return &statusError{status: exitFailed}
}

// diffSide reads one side: only what it holds itself, without the embedded packs.
func diffSide(path string) (*feeds.Library, error) {
	if path == "embedded" {
		return feeds.Load(nil)
	}
	lib := &feeds.Library{}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, usage(fmt.Errorf("opening packs: %w", err))
	case info.IsDir():
		err = lib.AddDir(path)
	default:
		b, err := readBundle(path, "")
		if err != nil {
			return nil, err
		}
		return lib, lib.AddFiles(b.Files, path)
	}
	return lib, err
}

// vendorIDs returns the ids of the packs on either side, sorted.
func vendorIDs(sides ...*feeds.Library) []string {
	var ids []string
	for _, lib := range sides {
		for _, p := range lib.Packs {
			ids = append(ids, p.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// diffVendor writes what differs of one vendor.
func diffVendor(b *strings.Builder, id string, old, now *feeds.Pack) bool {
	before, after := indicatorsOf(old), indicatorsOf(now)
	var lines []string
	for _, key := range keysOf(before, after) {
		o, n := before[key], after[key]
		switch {
		case o == nil:
			lines = append(lines, "+ "+standing(n)+" "+key)
		case n == nil:
			lines = append(lines, "- "+standing(o)+" "+key)
		case standing(o) != standing(n):
			lines = append(lines, fmt.Sprintf("~ %s: %s -> %s", key, standing(o), standing(n)))
		}
	}
	switch {
	case old == nil:
		fmt.Fprintf(b, "%s: new, version %s\n", id, now.Version)
	case now == nil:
		fmt.Fprintf(b, "%s: removed\n", id)
	case len(lines) == 0 && old.Version == now.Version:
		return false
	default:
		fmt.Fprintf(b, "%s: version %s -> %s\n", id, old.Version, now.Version)
	}
	if counts := classCounts(before, after); counts != "" {
		fmt.Fprintf(b, "  by class: %s\n", counts)
	}
	for _, l := range lines {
		fmt.Fprintf(b, "  %s\n", l)
	}
	return true
}

// indicatorsOf returns all indicators of a pack by kind and value.
func indicatorsOf(p *feeds.Pack) map[string]*feeds.Indicator {
	all := map[string]*feeds.Indicator{}
	if p == nil {
		return all
	}
	for _, i := range slices.Concat(p.Indicators, p.Lookalikes, p.Sinkholes) {
		all[i.Kind.String()+" "+i.Value] = i
	}
	for _, w := range p.Walks {
		all[w.Indicator.Kind.String()+" "+w.Indicator.Value] = w.Indicator
	}
	return all
}

func keysOf(maps ...map[string]*feeds.Indicator) []string {
	var keys []string
	for _, m := range maps {
		for k := range m {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// standing is what an indicator says, in a line.
func standing(i *feeds.Indicator) string {
	parts := []string{i.Implies.String(), string(i.Function), string(i.Confidence)}
	if i.Product != "" {
		parts = append(parts, i.Product)
	}
	if i.Shared {
		parts = append(parts, "shared")
	}
	if i.Misleading {
		parts = append(parts, "misleading")
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// classCounts says how the number of indicators of each class changes.
func classCounts(before, after map[string]*feeds.Indicator) string {
	var old, now [feeds.Classes]int
	for _, i := range before {
		old[i.Implies]++
	}
	for _, i := range after {
		now[i.Implies]++
	}
	var parts []string
	for c := feeds.Classes - 1; c >= 0; c-- {
		if old[c] != now[c] {
			parts = append(parts, fmt.Sprintf("%s %d -> %d", feeds.Class(c), old[c], now[c]))
		}
	}
	return strings.Join(parts, ", ")
}

// diffPolicies writes which policies were added, removed and bind other vendors.
func diffPolicies(b *strings.Builder, old, now *feeds.Library) bool {
	var lines []string
	for _, p := range old.Policies {
		n := now.Policy(p.ID)
		if n == nil {
			lines = append(lines, "- "+p.ID)
		} else if was, is := strings.Join(p.Vendors, " "), strings.Join(n.Vendors, " "); was != is {
			lines = append(lines, fmt.Sprintf("~ %s: binds %s -> %s", p.ID, was, is))
		}
	}
	for _, p := range now.Policies {
		if old.Policy(p.ID) == nil {
			lines = append(lines, "+ "+p.ID)
		}
	}
	if len(lines) > 0 {
		fmt.Fprintf(b, "policies:\n  %s\n", strings.Join(lines, "\n  "))
	}
	return len(lines) > 0
}

// maxReachShown bounds the names listed whose verdict changes.
const maxReachShown = 50

// diffReach writes how what the names of a file meet changes.
func diffReach(b *strings.Builder, file string, old, now *feeds.Library) (bool, error) {
	before, err := feeds.Compile(old, feeds.Options{})
	if err != nil {
		return false, err
	}
	after, err := feeds.Compile(now, feeds.Options{})
	if err != nil {
		return false, err
	}
	f, err := os.Open(file)
	if err != nil {
		return false, usage(fmt.Errorf("opening names: %w", err))
	}
	defer func() { _ = f.Close() }()
	names, changed := 0, 0
	var shown []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		query := strings.TrimSpace(lines.Text())
		if query == "" || query[0] == '#' {
			continue
		}
		was, err := verdicts(before, query)
		is, err2 := verdicts(after, query)
		if errors.Join(err, err2) != nil {
			continue
		}
		if names++; !slices.Equal(was, is) {
			if changed++; len(shown) < maxReachShown {
				shown = append(shown, fmt.Sprintf("~ %s: %s -> %s", printable(query), orNone(was), orNone(is)))
			}
		}
	}
	if err := lines.Err(); err != nil {
		return false, fmt.Errorf("reading names: %w", err)
	}
	fmt.Fprintf(b, "reach: %d of %d names change\n", changed, names)
	for _, s := range shown {
		fmt.Fprintf(b, "  %s\n", s)
	}
	return changed > 0, nil
}
