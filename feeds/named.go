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
	for _, rules := range [][]rule{s.rules, s.paths, s.agents} {
		for i := range rules {
			add(rules[i].match)
		}
	}
	for _, list := range s.addrs.All() {
		add(list...)
	}
	for _, list := range s.asns {
		add(list...)
	}
	for _, list := range s.ouis {
		add(list...)
	}
	for i := range s.bodies {
		add(s.bodies[i].match)
	}
	for i := range s.ports.rules {
		add(s.ports.rules[i].match)
	}
	for _, w := range s.walks {
		add(Match{Indicator: w.Indicator, Vendor: w.Vendor, Kind: w.Indicator.Kind})
	}
	for i := range s.looks.brands {
		b := &s.looks.brands[i]
		add(b.exact, b.typo, b.script)
	}
	return found
}
