package sink

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"telltale/alert"
	"telltale/capture"
)

// Observations makes the sinks of the observation log from their entries, and returns
// all that is wrong with them. The lines are Telltale's own form of an Observation.
func Observations(list []Entry) ([]alert.Target, error) {
	var targets []alert.Target
	var errs []error
	for i := range list {
		t, err := list[i].observations()
		if err != nil {
			errs = append(errs, fmt.Errorf("observations, sink %d (%s): %w", i+1, list[i].Name, err))
			continue
		}
		targets = append(targets, t)
	}
	return targets, errors.Join(errs...)
}

func (e *Entry) observations() (t alert.Target, err error) {
	kind, ok := typeNamed(e.Type)
	if !ok || !kind.Observations {
		return t, fmt.Errorf("type %q does not take observations: use one of %s", e.Type, observing())
	}
	f := &e.Filter
	if e.Format != "" || e.Batch != 0 || len(f.Kinds)+len(f.Classes)+len(f.Vendors)+len(f.Policies) > 0 || f.MinSeverity != "" {
		return t, errors.New("format, batch, kinds, classes, vendors, policies and min_severity are for alerts: remove them")
	}
	for _, p := range e.Protocols {
		if !slices.Contains(capture.ProtoNames(), p) {
			return t, fmt.Errorf("unknown protocol %q: use some of %s", p, strings.Join(capture.ProtoNames(), ", "))
		}
	}
	if e.Name == "" {
		e.Name = e.Type
	}
	s, err := kind.New(e)
	return alert.Target{Name: e.Name, Sink: s}, err
}

func observing() string {
	var names []string
	for _, t := range types {
		if t.Observations {
			names = append(names, t.Name)
		}
	}
	return strings.Join(names, ", ")
}
