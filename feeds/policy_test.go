package feeds

import (
	"testing"
	"time"
)

func TestDueCountsFromTheRightDay(t *testing.T) {
	days := func(n int) *int { return &n }
	friday := time.Date(2026, 11, 20, 15, 4, 5, 0, time.UTC)
	tests := []struct {
		name   string
		policy Policy
		line   Deadline
		want   string
	}{
		{"a date stands", Policy{Starts: StartFinding}, Deadline{Days: days(3), Date: "2017-10-13"}, "2017-10-13"},
		{"days from issue", Policy{Issued: "2024-06-20", Starts: StartIssued}, Deadline{Days: days(30)}, "2024-07-20"},
		{"three business days from a Friday", Policy{Starts: StartFinding}, Deadline{Days: days(3), BusinessDays: true}, "2026-11-25"},
		{"calendar days from a finding", Policy{Starts: StartFinding}, Deadline{Days: days(3)}, "2026-11-23"},
		{"a deadline's own clock", Policy{Issued: "2018-08-13", Starts: StartIssued}, Deadline{Days: days(1), BusinessDays: true, Starts: StartFinding}, "2026-11-23"},
		{"the report is not known", Policy{Starts: StartFinding}, Deadline{Days: days(10), Starts: StartReport}, ""},
		{"only a month is known", Policy{Issued: "2022-12", Starts: StartIssued}, Deadline{Days: days(10)}, ""},
		{"no period", Policy{Starts: StartIssued, Issued: "2022-12-01"}, Deadline{}, ""},
	}
	for _, tt := range tests {
		got, ok := tt.policy.Due(tt.line, friday)
		if ok != (tt.want != "") || ok && got.Format(time.DateOnly) != tt.want {
			t.Errorf("%s: got %v, %v, want %q", tt.name, got, ok, tt.want)
		}
	}
}

func TestShippedPoliciesCountTheRightClasses(t *testing.T) {
	lib := shippedLibrary(t)
	tests := []struct {
		id     string
		class  Class
		counts bool
	}{
		{"us-bod-17-01", Installed, true},
		{"us-bod-17-01", Device, true},
		{"us-bod-17-01", Likely, true},
		{"us-bod-17-01", Visited, false},
		{"au-pspf-002-2025", Visited, true},
		{"au-pspf-002-2025", Installed, true},
		{"au-pspf-002-2025", Located, false},
	}
	for _, tt := range tests {
		p := lib.Policy(tt.id)
		if p == nil {
			t.Fatalf("no policy %s", tt.id)
		}
		if p.Counted(tt.class) != tt.counts {
			t.Errorf("%s counts %s: %v, want %v", tt.id, tt.class, !tt.counts, tt.counts)
		}
	}
	far := lib.Policy("us-far-52.204-23")
	if far.Starts != StartFinding || !far.Deadlines[0].BusinessDays || *far.Deadlines[0].Days != 3 {
		t.Errorf("FAR 52.204-23 is %+v, want three business days from the finding", far)
	}
}
