package feeds

import (
	"fmt"
	"slices"
	"time"
)

// Stale returns a warning for each entry whose newest source is older than age at the
// day given, and an error for each that claims a source of a later day. It is apart from
// Lint, whose verdict does not change with the calendar.
func Stale(lib *Library, at time.Time, age time.Duration) []Problem {
	l := &linter{lib: lib}
	for _, p := range lib.Packs {
		last := 0
		for _, i := range p.all() {
			if i.Line != last { // the values of one entry are one warning
				l.age(i, at, age)
			}
			last = i.Line
		}
	}
	slices.SortStableFunc(l.problems, compareProblems)
	return l.problems
}

// age judges the date of an entry. A date that is none is for Lint.
func (l *linter) age(i *Indicator, at time.Time, age time.Duration) {
	seen, err := time.Parse(time.DateOnly, i.Seen)
	if err != nil {
		return
	}
	switch old := at.Sub(seen); {
	case old < -24*time.Hour: // it may be tomorrow elsewhere
		l.report(i.File, i.Line, "date", fmt.Sprintf("%s: seen %s, a day to come", i.ID, i.Seen), "give the day the source states, or of the look at it")
	case old > age:
		text := fmt.Sprintf("%s: last seen %s, %d days ago", i.ID, i.Seen, int(old.Hours()/24))
		l.problems = append(l.problems, Problem{i.File, i.Line, SeverityWarning, "stale", text, "look whether it still holds, and set seen"})
	}
}
