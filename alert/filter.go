package alert

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"telltale/feeds"
)

// Filter says which Alerts a receiver is given. An empty list means all. An Alert of the
// sensor's own health has no class, vendor or policy and passes those lists.
//
// A receiver with a filter sees holes in the sequence: it cannot check by itself that
// nothing is missing.
type Filter struct {
	// Kinds are kinds of alert, or patterns of them: finding.*, health.gap.
	Kinds []string `yaml:"kinds"`
	// Classes are evidence classes: installed, device, likely, visited, resolved, located.
	Classes []string `yaml:"classes"`
	// Vendors are pack ids.
	Vendors []string `yaml:"vendors"`
	// Policies are ids of policies, one of which must count the Finding.
	Policies []string `yaml:"policies"`
	// MinSeverity is the least severity: info, low, medium, high. Heartbeats and gaps,
	// by which a receiver checks that nothing is missing, pass it.
	MinSeverity Severity `yaml:"min_severity"`
}

// severities in rising order.
var severities = []Severity{Info, Low, Medium, High}

// Passes reports whether a is for the receiver.
func (f *Filter) Passes(a *Alert) bool {
	if len(f.Kinds) > 0 && !slices.ContainsFunc(f.Kinds, func(p string) bool { return matches(p, a.Kind) }) {
		return false
	}
	bookkeeping := a.Kind == HealthHeartbeat || a.Kind == HealthGap
	if f.MinSeverity != "" && !bookkeeping && slices.Index(severities, a.Severity) < slices.Index(severities, f.MinSeverity) {
		return false
	}
	v := a.Finding
	if v == nil {
		return true
	}
	if len(f.Classes) > 0 && !slices.Contains(f.Classes, v.Class.String()) || len(f.Vendors) > 0 && !slices.Contains(f.Vendors, v.Vendor) {
		return false
	}
	bound := func(p *feeds.Policy) bool { return slices.Contains(f.Policies, p.ID) }
	return len(f.Policies) == 0 || slices.ContainsFunc(v.Policies, bound)
}

func matches(pattern string, k Kind) bool {
	ok, err := path.Match(pattern, string(k))
	return ok && err == nil
}

// Validate returns all that is wrong with f, nil if nothing is.
func (f *Filter) Validate() error {
	var errs []error
	for _, p := range f.Kinds {
		if !slices.ContainsFunc(kinds, func(k Kind) bool { return matches(p, k) }) {
			errs = append(errs, fmt.Errorf("kinds: %q matches no kind of alert: use some of %s", p, join(kinds)))
		}
	}
	for _, c := range f.Classes {
		if _, err := feeds.ParseClass(c); err != nil {
			errs = append(errs, fmt.Errorf("classes: %w", err))
		}
	}
	if f.MinSeverity != "" && !slices.Contains(severities, f.MinSeverity) {
		errs = append(errs, fmt.Errorf("min_severity: unknown severity %q: use one of %s", f.MinSeverity, join(severities)))
	}
	return errors.Join(errs...)
}

func join[T ~string](list []T) string {
	s := make([]string, len(list))
	for i, v := range list {
		s[i] = string(v)
	}
	return strings.Join(s, ", ")
}
