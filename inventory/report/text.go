// Package report puts what was found, and what could not be seen, into forms that a
// person reads.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"telltale/detect"
	"telltale/feeds"
)

// Summary is what a run has to say at its end.
type Summary struct {
	Findings []*detect.Finding
	Coverage detect.Coverage
	// Vendor returns what is known of a vendor id.
	Vendor func(id string) *feeds.Vendor
	Input  Input
	// MaxFacts is the number of facts printed with a finding; negative is all.
	MaxFacts int
}

// Input says what was read and with which knowledge.
type Input struct {
	Packets  uint64 // packets read
	Bytes    uint64 // captured bytes of them
	First    int64  // time of the earliest packet that was looked at, Unix nanoseconds, 0 if there is none
	Last     int64  // of the latest
	Skipped  uint64 // outside the requested time
	Filtered uint64 // not wanted by the capture filter
	Filter   string // the capture filter, empty if there is none
	Cut      uint64 // shorter than on the wire
	Copies   uint64 // copies of a packet mirrored twice, left out
	Dropped  []Tally
	Limits   []Tally  // limits that were reached
	Capture  []string // how live capture went, a line each
	Damaged  []string // inputs that could not be read to their end
	Packs    []string // pack versions
	Policies []string // selected policies, none if all
	Geo      []string // country and AS sources with their build dates
	Warnings []string
}

// Tally is a named number.
type Tally struct {
	Name string
	N    uint64
}

// Text writes the summary as tables for a terminal. What came from packets is escaped
// already.
func (s *Summary) Text(w io.Writer) error {
	b := &strings.Builder{}
	s.findings(b)
	s.policies(b)
	s.encrypted(b)
	s.coverage(b)
	_, err := io.WriteString(w, b.String())
	if err != nil {
		return fmt.Errorf("writing the summary: %w", err)
	}
	return nil
}

// findings writes the table host x vendor x class, strongest first.
func (s *Summary) findings(b *strings.Builder) {
	list := sorted(s.Findings)
	if len(list) == 0 {
		b.WriteString("Findings: none. What this is worth is said under coverage.\n\n")
		return
	}
	fmt.Fprintf(b, "Findings (%d)\n", len(list))
	rows := &strings.Builder{}
	t := tabwriter.NewWriter(rows, 0, 8, 2, ' ', 0)
	row(t, "CLASS\tHOST\tVENDOR\tPRODUCT\tFUNCTIONS\tFIRST SEEN (UTC)\tLAST SEEN (UTC)\tATTEMPTS\tEXCHANGES\tOUT\tIN")
	for _, f := range list {
		row(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s",
			className(f), f.Host.Addr, s.who(f), dash(f.Product), functions(f), stamp(f.FirstSeen), stamp(f.LastSeen),
			f.Attempts, f.Exchanges, Size(f.BytesOut), Size(f.BytesIn))
	}
	_ = t.Flush() // into memory
	lines := strings.SplitAfter(rows.String(), "\n")
	b.WriteString(lines[0])
	for i, f := range list {
		b.WriteString(lines[i+1])
		s.facts(b, f)
	}
	b.WriteByte('\n')
}

// row adds a row to a table in memory, where writing cannot fail.
func row(t *tabwriter.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(t, format+"\n", args...)
}

// facts writes the first facts under a row.
func (s *Summary) facts(b *strings.Builder, f *detect.Finding) {
	if f.Allowed != nil {
		fmt.Fprintf(b, "    allowed by %s until %s: %s\n", f.Allowed.Owner, f.Allowed.Expires.UTC().Format(time.DateOnly), f.Allowed.Reason)
	}
	n := len(f.Facts)
	if s.MaxFacts >= 0 {
		n = min(n, s.MaxFacts)
	}
	for _, fact := range f.Facts[:n] {
		sign := "+"
		if fact.Against {
			sign = "-"
		}
		fmt.Fprintf(b, "    %s %s", sign, fact.Text)
		if fact.Packet != 0 {
			fmt.Fprintf(b, " (packet %d)", fact.Packet)
		}
		b.WriteByte('\n')
	}
	if more := len(f.Facts) - n; more > 0 {
		fmt.Fprintf(b, "      and %d more: --facts=-1 shows all\n", more)
	}
}

// sorted returns the findings, strongest class first, then by vendor and host.
func sorted(list []*detect.Finding) []*detect.Finding {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(x, y *detect.Finding) int {
		if d := rank(y) - rank(x); d != 0 {
			return d
		}
		if d := strings.Compare(x.Vendor, y.Vendor); d != 0 {
			return d
		}
		return x.Host.Addr.Compare(y.Host.Addr)
	})
	return list
}

// rank orders findings; those that are no contact with the vendor stand apart.
func rank(f *detect.Finding) int {
	switch f.Topic {
	case detect.AboutSinkhole:
		return 20
	case detect.AboutLookalike:
		return 15 - 10
	}
	return 2 * int(f.Class)
}

func className(f *detect.Finding) string {
	switch f.Topic {
	case detect.AboutLookalike, detect.AboutSinkhole:
		return f.Topic.String()
	}
	return f.Class.String()
}

func (s *Summary) who(f *detect.Finding) string {
	if f.Topic == detect.AboutForeign {
		who := "foreign range"
		if f.Foreign.Country != "" {
			who += " " + f.Foreign.Country
		}
		return who
	}
	if v := s.Vendor(f.Vendor); v != nil {
		return v.Name
	}
	return f.Vendor
}

func functions(f *detect.Finding) string {
	var all []string
	for _, g := range f.Functions {
		all = append(all, string(g))
	}
	return dash(strings.Join(all, ","))
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func stamp(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02 15:04:05") }
