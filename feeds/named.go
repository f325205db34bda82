package feeds

// Indicators returns, by id, the Match each indicator gives, for those ids that wanted
// says are of interest: what was remembered by id finds its knowledge again. It goes
// through all tables and is not for the packet path.
func (s *Set) Indicators(wanted func(id string) bool) map[string]Match {
	found := make(map[string]Match)
	add := func(list ...Match) {
		for _, m := range list {
			if wanted(m.Indicator.ID) {
				m.Families = 0
				found[m.Indicator.ID] = m
			}
		}
	}
	for _, m := range s.byID {
		add(m)
	}
	for i := range s.looks.brands {
		b := &s.looks.brands[i]
		add(b.exact, b.typo, b.script)
	}
	return found
}
