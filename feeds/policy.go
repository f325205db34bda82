package feeds

import (
	"fmt"
	"slices"
	"time"
)

// Policy is a rule of an authority that names one or more vendors.
type Policy struct {
	ID           string
	Citation     string
	Title        string
	Issuer       string
	Jurisdiction string
	Issued       string // YYYY, YYYY-MM or YYYY-MM-DD
	Published    string
	Effective    string
	Binds        string
	Starts       Start // what starts the clock of its deadlines
	Deadlines    []Deadline
	// Counts lists the evidence classes the policy speaks of, set to
	// installed, likely and device where the file is silent.
	Counts []Class
	// Assets are the sorts of device the policy speaks of, all of them where empty. What
	// sort a host is, is for its owner to say.
	Assets []Asset
	// Severity is the most an alert rests on the policy for, high where the file is
	// silent: less is for advice, and for what binds others than those who use a product.
	Severity   Level
	Vendors    []string
	Scope      string
	Sources    []string
	Confidence Confidence

	File string
	Line int
}

// Deadline is one date or period of a Policy.
type Deadline struct {
	// Days after the start of the clock, absent where only a date or a word is given.
	Days *int
	What string
	Date string // YYYY-MM-DD
	// BusinessDays counts Monday to Friday only; holidays are not known here.
	BusinessDays bool
	// Starts differs from the policy's where one deadline has a clock of its own.
	Starts Start
}

// Start is the event a deadline counts from.
type Start string

// Starts.
const (
	StartIssued  Start = "issued"  // the policy was issued
	StartFinding Start = "finding" // the vendor was found in the network
	StartReport  Start = "report"  // the finding was reported
)

// UnmarshalText implements encoding.TextUnmarshaler and refuses unknown values.
func (s *Start) UnmarshalText(b []byte) error {
	*s = Start(b)
	switch *s {
	case StartIssued, StartFinding, StartReport:
		return nil
	}
	return fmt.Errorf("unknown start of a deadline %q: use issued, finding or report", b)
}

// Asset is a sort of device a Policy may be narrowed to.
type Asset string

// Assets.
const (
	AssetMobile  Asset = "mobile"  // phones and tablets
	AssetCamera  Asset = "camera"  // cameras and recorders
	AssetNetwork Asset = "network" // equipment of telecommunication networks
	AssetRouter  Asset = "router"  // routers of homes and small offices
	AssetDrone   Asset = "drone"   // unmanned aircraft and what steers them
)

// UnmarshalText implements encoding.TextUnmarshaler and refuses unknown values.
func (a *Asset) UnmarshalText(b []byte) error {
	*a = Asset(b)
	switch *a {
	case AssetMobile, AssetCamera, AssetNetwork, AssetRouter, AssetDrone:
		return nil
	}
	return fmt.Errorf("unknown sort of asset %q: use mobile, camera, network, router or drone", b)
}

// Level is a degree of severity.
type Level string

// Levels.
const (
	LevelHigh   Level = "high"
	LevelMedium Level = "medium"
	LevelLow    Level = "low"
)

// UnmarshalText implements encoding.TextUnmarshaler and refuses unknown values.
func (l *Level) UnmarshalText(b []byte) error {
	*l = Level(b)
	switch *l {
	case LevelHigh, LevelMedium, LevelLow:
		return nil
	}
	return fmt.Errorf("unknown severity %q: use high, medium or low", b)
}

// Counted reports whether evidence of class c falls under the policy.
func (p *Policy) Counted(c Class) bool { return slices.Contains(p.Counts, c) }

// Binding reports whether the policy names the vendor.
func (p *Policy) Binding(vendor string) bool { return slices.Contains(p.Vendors, vendor) }

// maxDays bounds the periods Due calculates with.
const maxDays = 10000

// Due returns the day a deadline ends, in UTC, for a vendor found at that time. It is
// false where the deadline has neither a date nor a period whose start is known.
func (p *Policy) Due(d Deadline, found time.Time) (time.Time, bool) {
	if d.Date != "" {
		t, err := time.Parse(time.DateOnly, d.Date)
		return t, err == nil
	}
	start := d.Starts
	if start == "" {
		start = p.Starts
	}
	if d.Days == nil || *d.Days < 0 || *d.Days > maxDays || start == StartReport {
		return time.Time{}, false
	}
	from := found.UTC().Truncate(24 * time.Hour)
	if start == StartIssued {
		t, err := time.Parse(time.DateOnly, p.Issued)
		if err != nil {
			return time.Time{}, false
		}
		from = t
	}
	if d.BusinessDays {
		return addBusinessDays(from, *d.Days), true
	}
	return from.AddDate(0, 0, *d.Days), true
}

// addBusinessDays returns the n-th weekday after t.
func addBusinessDays(t time.Time, n int) time.Time {
	for n > 0 {
		t = t.AddDate(0, 0, 1)
		if t.Weekday() != time.Saturday && t.Weekday() != time.Sunday {
			n--
		}
	}
	return t
}
