package feeds

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestReachOnPopularNames pins how many of 20,000 real host names by popularity each
// vendor's indicators reach, by class: a careless rule shows here.
func TestReachOnPopularNames(t *testing.T) {
	names := strings.Fields(string(sharedFacts(t, "vendors", "_popular20k.txt")))
	s := shippedSet(t)
	count := make(map[string]int)
	for _, n := range names {
		for _, m := range s.Name([]byte(n), nil) {
			what := m.Indicator.Implies.String()
			switch {
			case m.Lookalike:
				what = "lookalike " + n
			case m.Sinkhole:
				what = "sinkhole " + n
			case m.Indicator.Misleading:
				what = "misleading"
			}
			count[m.Vendor.ID+" "+what]++
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "names %d\n", len(names))
	keys := make([]string, 0, len(count))
	for k := range count {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		fmt.Fprintf(&b, "%s %d\n", k, count[k])
	}
	golden(t, "reach.golden", b.String())
}
