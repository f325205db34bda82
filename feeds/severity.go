package feeds

// levels are in rising order.
var levels = [...]Level{LevelLow, LevelMedium, LevelHigh}

// Bounds returns the least and the most an alert about a vendor may rest on, for the
// policies that count what was found; least is empty if there is no such bound.
//
// A vendor the operator named is bounded by nothing. Of other vendors, one that no policy
// in force names is inventory: low. What a chosen policy counts is at least medium, be it
// a visit, and the weightiest of the policies that count bounds it from above.
func (s *Set) Bounds(vendor string, counting []*Policy) (least, most Level) {
	if s.chosen && len(counting) > 0 {
		least = LevelMedium
	}
	switch {
	case s.asked[vendor]:
		return least, LevelHigh
	case len(s.policies[vendor]) == 0:
		return "", LevelLow
	case len(counting) == 0:
		return "", LevelHigh
	}
	most = LevelLow
	for _, p := range counting {
		most = higher(most, p.Severity)
	}
	if higher(least, most) == least {
		least = most
	}
	return least, most
}

// wants notes what the operator asked for.
func (s *Set) wants(opts Options) {
	s.chosen = len(opts.Policies) > 0
	s.asked = make(map[string]bool)
	for _, v := range opts.Vendors {
		s.asked[v] = true
	}
}

// higher returns the higher of two levels.
func higher(a, b Level) Level {
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// rank returns the place of l in the order of levels, -1 if it is none.
func rank(l Level) int {
	for i, known := range levels {
		if l == known {
			return i
		}
	}
	return -1
}
