package feeds

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExplainHost(t *testing.T) {
	s := layeredSet(t)
	tests := []struct {
		query, text string
		want        []string
		facts       int
		bad         bool
	}{
		{"28:57:BE:01:02:03", "28:57:be:01:02:03", []string{"lay:oui:28:57:be"}, 0, false},
		{"28-57-be-01-02-03", "28:57:be:01:02:03", []string{"lay:oui:28:57:be"}, 0, false},
		{"2a:57:be:01:02:03", "2a:57:be:01:02:03", nil, 1, false},
		{"ssdp/server=x Lay/2", "ssdp/server=x Lay/2", []string{`lay:identity:ssdp/server=^.*\bLay/`}, 0, false},
		{"ssdp/colour=x", "ssdp/colour=x", nil, 0, true},
		{"28:57:be:01:02", "", nil, 0, false}, // looked up as a name
		{"28:57:be:01:02:zz", "", nil, 0, false},
	}
	for _, c := range tests {
		e := s.Explain(c.query)
		if e.Text != c.text || len(e.Facts) != c.facts || (e.Err != nil) != c.bad {
			t.Errorf("%s: text %q, facts %v, error %v", c.query, e.Text, e.Facts, e.Err)
		}
		var got []string
		for _, m := range e.Matches {
			got = append(got, m.Indicator.ID)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", c.query, d)
		}
	}
}
