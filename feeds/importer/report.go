package importer

import "fmt"

// Report is what became of a list.
type Report struct {
	Format string
	Lines  int // lines, or records of a format without lines
	// Names, Prefixes, ASNs and URLs count what was taken, the same entry given twice
	// counted twice.
	Names, Prefixes, ASNs, URLs int
	Bad                         int
	Shown                       []BadLine // the first of the bad lines
	// Skipped counts what is well-formed and of no use here, by what it is.
	Skipped map[string]int
}

// BadLine is a line that could not be taken.
type BadLine struct {
	Line int // 1-based
	Text string
}

// String returns the line for people.
func (b BadLine) String() string { return fmt.Sprintf("line %d: %s", b.Line, b.Text) }

// Taken returns the number of entries taken.
func (r *Report) Taken() int { return r.Names + r.Prefixes + r.ASNs + r.URLs }

// Share returns which part of what was meant to be an entry is bad.
func (r *Report) Share() float64 {
	if r.Bad == 0 {
		return 0
	}
	return float64(r.Bad) / float64(r.Bad+r.Taken())
}

// check says why a list must not be used.
func (r *Report) check(maxBad float64) error {
	first := ""
	if len(r.Shown) > 0 {
		first = "; the first is " + r.Shown[0].String()
	}
	switch {
	case r.Share() > maxBad:
		return fmt.Errorf("%d bad lines beside %d good ones, more than a share of %g%s; correct the list or its format, or raise max_bad",
			r.Bad, r.Taken(), maxBad, first)
	case r.Taken() == 0:
		return fmt.Errorf("nothing in it can be used (read as %s)%s: correct the list or its format", r.Format, first)
	}
	return nil
}
