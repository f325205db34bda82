package report

import (
	"fmt"
	"strings"
	"time"

	"telltale/capture"
)

// coverage writes what was seen and what could not be: "nothing found" is a claim too.
func (s *Summary) coverage(b *strings.Builder) {
	in, c := &s.Input, &s.Coverage
	b.WriteString("Coverage\n")
	line := func(name, format string, args ...any) {
		fmt.Fprintf(b, "  %-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("packets", "%s (%s)%s", Count(in.Packets), Size(in.Bytes), s.period())
	if in.Skipped > 0 {
		line("", "%s outside the requested time", Count(in.Skipped))
	}
	if in.Filter != "" {
		line("filtered", "%s not looked at, by the capture filter: %s", Count(in.Filtered), in.Filter)
	}
	for i, l := range in.Capture {
		line(first(i, "capture"), "%s", l)
	}
	line("not read", "%s", tallies(in.Dropped, "every packet was decoded"))
	if in.Copies > 0 {
		line("copies", "%s came again within a moment (mirrored twice, or sent again unchanged) and counted once%s", plural(int(in.Copies), "packet"), share(in.Copies, in.Packets))
	}
	if in.Cut > 0 {
		line("", "%s captured shorter than they were: names may be missing", plural(int(in.Cut), "packet"))
	}
	line("hosts", "%s", Count(uint64(c.Hosts)))
	named := c.Unnamed[capture.Named]
	line("flows", "%s, named by their own bytes: %s%s", Count(c.Flows), Count(named), share(named, c.Flows))
	line("", "without a name: %s", tallies(unnamed(c.Unnamed), "none"))
	if c.OneSided > 0 {
		line("", "only one direction seen: %s%s", Count(c.OneSided), share(c.OneSided, c.Flows))
	}
	line("dns", "%s in the clear, %s to encrypted resolvers", plural(int(c.ClearDNS), "question"), plural(int(c.EncryptedDNS), "connection"))
	ech := c.ECHReal + c.ECHGrease
	line("ech", "%s real%s (the name is hidden), %s GREASE%s (the name is the true one)",
		plural(int(c.ECHReal), "hello"), share(c.ECHReal, ech), Count(c.ECHGrease), share(c.ECHGrease, ech))
	for i, p := range in.Packs {
		line(first(i, "packs"), "%s", p)
	}
	if len(in.Policies) > 0 {
		line("policies", "%s", strings.Join(in.Policies, ", "))
	}
	for i, g := range in.Geo {
		line(first(i, "geo"), "%s", g)
	}
	for i, l := range in.Limits {
		line(first(i, "limits"), "%s: %s", l.Name, Count(l.N))
	}
	for i, d := range in.Damaged {
		line(first(i, "damaged"), "%s", d)
	}
	for i, w := range in.Warnings {
		line(first(i, "warning"), "%s", w)
	}
}

func (s *Summary) period() string {
	in := &s.Input
	if in.First == 0 {
		return ""
	}
	return fmt.Sprintf(", %s to %s UTC (%s)", stamp(in.First), stamp(in.Last), Duration(time.Duration(in.Last-in.First)))
}

func unnamed(by [capture.UnnamedReasons]uint64) []Tally {
	var all []Tally
	for i := int(capture.Named) + 1; i < len(by); i++ {
		all = append(all, Tally{capture.Unnamed(i).String(), by[i]})
	}
	return all
}

// tallies joins the numbers that are not zero.
func tallies(list []Tally, none string) string {
	var all []string
	for _, t := range list {
		if t.N > 0 {
			all = append(all, fmt.Sprintf("%s %s", t.Name, Count(t.N)))
		}
	}
	if len(all) == 0 {
		return none
	}
	return strings.Join(all, ", ")
}

func share(n, of uint64) string {
	if of == 0 {
		return ""
	}
	return fmt.Sprintf(" (%.1f %%)", 100*float64(n)/float64(of))
}

func first(i int, name string) string {
	if i == 0 {
		return name
	}
	return ""
}
