package alert

import (
	"encoding/json"
	"fmt"

	"telltale/detect"
	"telltale/feeds"
)

// stored is the form of an Alert in the outbox: all that a format may want to say, so
// that one record serves every sink. Fields may be added; none is renamed.
type stored struct {
	ID        string         `json:"id"`
	Seq       uint64         `json:"seq"`
	Epoch     uint64         `json:"epoch,omitempty"`
	Time      int64          `json:"time"`
	Kind      Kind           `json:"kind"`
	Severity  Severity       `json:"severity"`
	Sensor    string         `json:"sensor"`
	Packs     string         `json:"packs"`
	Program   string         `json:"program,omitempty"`
	Text      string         `json:"text,omitempty"`
	Finding   *storedFinding `json:"finding,omitempty"`
	Heartbeat *Heartbeat     `json:"heartbeat,omitempty"`
	Gap       *Gap           `json:"gap,omitempty"`
}

// storedFinding is a Finding without what points into the vendor knowledge.
type storedFinding struct {
	*detect.Finding
	Policies []storedPolicy `json:",omitempty"`
	Allowed  *struct{}      `json:",omitempty"` // excused Findings raise no Alert
	Least    *struct{}      `json:",omitempty"` // the severity is settled
	Most     *struct{}      `json:",omitempty"`
}

type storedPolicy struct{ ID, Title string }

// Marshal returns a in the form of the outbox.
func Marshal(a *Alert) ([]byte, error) {
	s := stored{
		ID: a.ID, Seq: a.Seq, Epoch: a.Epoch, Time: a.Time, Kind: a.Kind, Severity: a.Severity,
		Sensor: a.Sensor, Packs: a.Packs, Program: a.Program, Text: a.Text, Heartbeat: a.Heartbeat, Gap: a.Gap,
	}
	if a.Finding != nil {
		s.Finding = &storedFinding{Finding: a.Finding}
		for _, p := range a.Finding.Policies {
			s.Finding.Policies = append(s.Finding.Policies, storedPolicy{p.ID, p.Title})
		}
	}
	b, err := json.Marshal(&s)
	if err != nil {
		return nil, fmt.Errorf("storing an alert: %w", err)
	}
	return b, nil
}

// Unmarshal returns the Alert that b, made by Marshal, holds. Policies of its Finding
// have an id and a title only.
func Unmarshal(b []byte) (*Alert, error) {
	var s stored
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("reading a stored alert: %w", err)
	}
	a := &Alert{
		ID: s.ID, Seq: s.Seq, Epoch: s.Epoch, Time: s.Time, Kind: s.Kind, Severity: s.Severity,
		Sensor: s.Sensor, Packs: s.Packs, Program: s.Program, Text: s.Text, Heartbeat: s.Heartbeat, Gap: s.Gap,
	}
	if s.Finding != nil && s.Finding.Finding != nil {
		a.Finding = s.Finding.Finding
		for _, p := range s.Finding.Policies {
			a.Finding.Policies = append(a.Finding.Policies, &feeds.Policy{ID: p.ID, Title: p.Title})
		}
	}
	return a, nil
}
