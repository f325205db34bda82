package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"telltale/detect"
	"telltale/feeds"
)

// clock is a policy that counts at least one finding.
type clock struct {
	policy *feeds.Policy
	first  int64 // first finding it counts
	hosts  map[string]bool
}

// policies writes which policies now run a clock, and until when. Those without a
// deadline, and those issued after the last packet, are only named.
func (s *Summary) policies(b *strings.Builder) {
	var running, silent, later []*clock
	last := time.Unix(0, s.Input.Last).UTC().Format(time.DateOnly)
	for _, c := range clocks(s.Findings) {
		switch {
		case c.policy.Issued > last:
			later = append(later, c)
		case len(c.policy.Deadlines) == 0:
			silent = append(silent, c)
		default:
			running = append(running, c)
		}
	}
	if len(running)+len(silent)+len(later) == 0 {
		return
	}
	b.WriteString("Policies that count these findings\n")
	for _, c := range running {
		fmt.Fprintf(b, "  %s  %s\n", c.policy.ID, shorten(c.policy.Citation))
		fmt.Fprintf(b, "      %s, first found %s\n", plural(len(c.hosts), "host"), stamp(c.first)[:10])
		if len(c.policy.Assets) > 0 {
			fmt.Fprintf(b, "      speaks of %s only: see which of the hosts are such\n", assets(c.policy.Assets))
		}
		for _, d := range c.policy.Deadlines {
			b.WriteString("      " + s.deadline(c, d) + "\n")
		}
	}
	ids(b, "without a deadline", silent)
	ids(b, "issued after the last packet", later)
	b.WriteByte('\n')
}

// assets names the sorts of device a policy is narrowed to.
func assets(list []feeds.Asset) string {
	words := map[feeds.Asset]string{
		feeds.AssetMobile: "mobile devices", feeds.AssetCamera: "cameras and recorders",
		feeds.AssetNetwork: "telecommunication equipment", feeds.AssetRouter: "routers", feeds.AssetDrone: "drones",
	}
	var all []string
	for _, a := range list {
		all = append(all, words[a])
	}
	return strings.Join(all, " and ")
}

// maxCitation keeps a heading on one line; 'telltale feeds policies' has the whole text.
const maxCitation = 96

// shorten cuts s at a word and says so.
func shorten(s string) string {
	if len(s) <= maxCitation {
		return s
	}
	cut := strings.LastIndexByte(s[:maxCitation], ' ')
	return strings.TrimRight(s[:max(cut, 1)], " ,;") + " ..."
}

// ids writes the ids of policies under a heading.
func ids(b *strings.Builder, heading string, list []*clock) {
	if len(list) == 0 {
		return
	}
	var all []string
	for _, c := range list {
		all = append(all, c.policy.ID)
	}
	fmt.Fprintf(b, "  %s: %s\n", heading, strings.Join(all, ", "))
}

// clocks gathers the policies of all findings that are not allowed, by id.
func clocks(list []*detect.Finding) []*clock {
	var all []*clock
	for _, f := range list {
		if f.Allowed != nil {
			continue
		}
		for _, p := range f.Policies {
			i := slices.IndexFunc(all, func(c *clock) bool { return c.policy == p })
			if i < 0 {
				all = append(all, &clock{policy: p, first: f.FirstSeen, hosts: map[string]bool{}})
				i = len(all) - 1
			}
			all[i].first = min(all[i].first, f.FirstSeen)
			all[i].hosts[f.Host.Addr.String()] = true
		}
	}
	slices.SortFunc(all, func(x, y *clock) int { return strings.Compare(x.policy.ID, y.policy.ID) })
	return all
}

// deadline says when d ends, measured against the last packet: a capture has no today.
func (s *Summary) deadline(c *clock, d feeds.Deadline) string {
	due, ok := c.policy.Due(d, time.Unix(0, c.first))
	if !ok {
		return d.What
	}
	last := time.Unix(0, s.Input.Last).UTC()
	days := int(due.Sub(last.Truncate(24*time.Hour)).Hours() / 24)
	when := fmt.Sprintf("%s after the last packet", plural(days, "day"))
	switch {
	case days < 0:
		when = fmt.Sprintf("%s before the last packet", plural(-days, "day"))
	case days == 0:
		when = "the day of the last packet"
	}
	return fmt.Sprintf("%s  %s (%s)", due.Format(time.DateOnly), d.What, when)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return Count(uint64(n)) + " " + what + "s"
}
