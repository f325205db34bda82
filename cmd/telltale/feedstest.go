package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"

	"telltale/feeds"
)

type feedsTestCmd struct {
	packFlags
	Files []string `arg:"" name:"file" help:"Files with one case a line: a name, address or URL, and VENDOR, VENDOR/CLASS, VENDOR/lookalike, VENDOR/sinkhole or none; '-' is standard input."`
	Quiet bool     `short:"q" help:"Print mismatches only."`
}

// Run looks every case up and holds it against the verdict expected of it.
func (c *feedsTestCmd) Run(e *env) error {
	lib, err := c.library()
	if err != nil {
		return err
	}
	set, err := feeds.Compile(lib, feeds.Options{})
	if err != nil {
		return err
	}
	b := &strings.Builder{}
	cases, wrong := 0, 0
	for _, name := range c.Files {
		n, bad, err := testFile(e, name, set, b)
		if err != nil {
			return usage(err)
		}
		cases, wrong = cases+n, wrong+bad
	}
	if !c.Quiet || wrong > 0 {
		fmt.Fprintf(b, "%d cases, %d mismatches\n", cases, wrong)
	}
	if err := e.print(b); err != nil {
		return err
	}
	switch {
	case wrong > 0:
		return &statusError{status: exitFailed}
	case cases == 0:
		return usage(errors.New("no case: write a name and the verdict expected of it on each line"))
	}
	return nil
}

// maxCaseLine bounds a line of a file of cases.
const maxCaseLine = 16 << 10

// testFile looks the cases of one file up and writes the mismatches to b.
func testFile(e *env, name string, set *feeds.Set, b *strings.Builder) (cases, wrong int, err error) {
	in := e.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return 0, 0, fmt.Errorf("opening cases: %w", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxCaseLine)
	n := 0
	for lines.Scan() {
		n++
		text, _, _ := strings.Cut(lines.Text(), "#")
		f := strings.Fields(text)
		if len(f) == 0 {
			continue
		}
		if len(f) < 2 {
			return cases, wrong, fmt.Errorf("%s:%d: %q has no verdict: write a name and a vendor, or none", name, n, f[0])
		}
		got, err := verdicts(set, f[0])
		if err == nil {
			err = knownVerdicts(set, f[1:])
		}
		if err != nil {
			return cases, wrong, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		cases++
		if !agrees(got, f[1:]) {
			wrong++
			fmt.Fprintf(b, "%s:%d: %s: expected %s, is %s\n", name, n, printable(f[0]), strings.Join(f[1:], " "), orNone(got))
		}
	}
	if err := lines.Err(); err != nil && !errors.Is(err, io.EOF) {
		return cases, wrong, fmt.Errorf("%s:%d: reading cases: %w", name, n+1, err)
	}
	return cases, wrong, nil
}

// verdicts returns what a name, address or URL meets, as VENDOR/CLASS, sorted.
func verdicts(set *feeds.Set, query string) ([]string, error) {
	var list []feeds.Match
	if strings.Contains(query, "://") {
		host, target, ok := feeds.SplitURL(query)
		if !ok {
			return nil, fmt.Errorf("%q is no URL", query)
		}
		list = set.URL([]byte(host), []byte(target), set.Path([]byte(target), nil))
		query = host
	}
	if a, err := netip.ParseAddr(query); err == nil {
		list = set.Addr(a, list)
	} else {
		name, err := feeds.Canonical(query)
		if err != nil {
			return nil, err
		}
		list = set.Name([]byte(name), list)
	}
	var out []string
	for _, m := range list {
		what := m.Indicator.Implies.String()
		switch {
		case m.Lookalike:
			what = "lookalike"
		case m.Sinkhole:
			what = "sinkhole"
		}
		out = append(out, m.Vendor.ID+"/"+what)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// knownVerdicts refuses what can never be met, which would be a slip of the pen.
func knownVerdicts(set *feeds.Set, want []string) error {
	for _, w := range want {
		vendor, what, _ := strings.Cut(w, "/")
		if w == "none" && len(want) == 1 {
			continue
		}
		if set.Vendor(vendor) == nil {
			return fmt.Errorf("no pack or list is of a vendor %q", vendor)
		}
		if _, err := feeds.ParseClass(what); err != nil && what != "" && what != "lookalike" && what != "sinkhole" {
			return err
		}
	}
	return nil
}

// agrees reports whether all that is expected is met, and nothing else. VENDOR agrees
// with any contact with the vendor itself.
func agrees(got, want []string) bool {
	if slices.Equal(want, []string{"none"}) {
		return len(got) == 0
	}
	meets := func(g, w string) bool {
		vendor, what, _ := strings.Cut(g, "/")
		return g == w || w == vendor && what != "lookalike" && what != "sinkhole"
	}
	for _, w := range want {
		if !slices.ContainsFunc(got, func(g string) bool { return meets(g, w) }) {
			return false
		}
	}
	for _, g := range got {
		if !slices.ContainsFunc(want, func(w string) bool { return meets(g, w) }) {
			return false
		}
	}
	return true
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, " ")
}
