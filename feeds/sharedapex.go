package feeds

// SharedZones returns the zones whose names are given out to customers, with the owner
// of each.
func (l *Library) SharedZones() map[string]string {
	zones := make(map[string]string)
	for _, h := range l.Shared.Hosting {
		for _, a := range h.Apexes {
			zones[a] = h.Name
		}
	}
	return zones
}
