package feeds

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// reach counts the names that something matches.
type reach struct {
	total int
	by    map[string]int // by indicator
}

// TestReachOnPopularNames pins how many of 20,000 real host names by popularity each
// vendor's indicators reach, by class and indicator: a careless rule shows here. Names
// that two vendors claim are listed.
func TestReachOnPopularNames(t *testing.T) {
	names := strings.Fields(string(sharedFacts(t, "vendors", "_popular20k.txt")))
	s := shippedSet(t)
	all := make(map[string]*reach)
	var twice []string
	for _, n := range names {
		list := s.Name([]byte(n), nil)
		for _, m := range list {
			key := m.Vendor.ID + " " + standingOf(m, n)
			if all[key] == nil {
				all[key] = &reach{by: make(map[string]int)}
			}
			all[key].total++
			all[key].by[m.Indicator.Kind.String()+" "+m.Indicator.Value]++
		}
		if len(list) > 1 {
			twice = append(twice, fmt.Sprintf("%s: %s", n, strings.Join(ids(list), ", ")))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "names %d\n", len(names))
	for _, key := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "%s %d\n", key, all[key].total)
		for _, i := range slices.Sorted(maps.Keys(all[key].by)) {
			fmt.Fprintf(&b, "  %s %d\n", i, all[key].by[i])
		}
	}
	fmt.Fprintf(&b, "claimed by two vendors %d\n%s", len(twice), strings.Join(append(twice, ""), "\n"))
	golden(t, "reach.golden", b.String())
}

// standingOf returns what a match says at most, and the name where it is a finding of
// its own kind.
func standingOf(m Match, name string) string {
	switch {
	case m.Lookalike:
		return "lookalike " + name
	case m.Sinkhole:
		return "sinkhole " + name
	case m.Indicator.Misleading:
		return "misleading"
	}
	return m.Indicator.Implies.String()
}
