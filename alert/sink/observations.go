package sink

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"telltale/alert"
	"telltale/alert/format"
	"telltale/capture"
)

// LogTarget is a sink of the observation log as it was configured.
type LogTarget struct {
	// Target has no Encode, Filter, Batch and Window: they are for Alerts.
	alert.Target
	// Form is how Observations are written.
	Form format.Log
	// Protocols are those it is given; none is all.
	Protocols []string
}

// Observations makes the sinks of the observation log from their entries, and returns
// all that is wrong with them.
func Observations(list []Entry) ([]LogTarget, error) {
	var targets []LogTarget
	var errs []error
	for i := range list {
		t, err := list[i].observations()
		if err != nil {
			errs = append(errs, fmt.Errorf("observations, %w", list[i].Wrap(i, err)))
			continue
		}
		targets = append(targets, t)
	}
	if err := errors.Join(errs...); err != nil {
		for _, t := range targets {
			_ = t.Sink.Close()
		}
		return nil, err
	}
	return targets, nil
}

func (e *Entry) observations() (t LogTarget, err error) {
	kind, ok := typeNamed(e.Type)
	if !ok || !kind.Observations {
		return t, fmt.Errorf("type %q does not take observations: use one of %s", e.Type, observing())
	}
	f := &e.Filter
	if e.Batch != 0 || len(f.Kinds)+len(f.Classes)+len(f.Vendors)+len(f.Policies) > 0 || f.MinSeverity != "" {
		return t, errors.New("batch, kinds, classes, vendors, policies and min_severity are for alerts: remove them")
	}
	for _, p := range e.Protocols {
		if !slices.Contains(capture.ProtoNames(), p) {
			return t, fmt.Errorf("unknown protocol %q: use some of %s", p, strings.Join(capture.ProtoNames(), ", "))
		}
	}
	e.Name, e.Format = cmp.Or(e.Name, e.Type), cmp.Or(e.Format, "native")
	if t.Form, err = format.LogByName(e.Format); err != nil {
		return t, err
	}
	t.Name, t.Protocols = e.Name, e.Protocols
	e.files = e.named()
	t.Sink, err = kind.New(e)
	return t, err
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
