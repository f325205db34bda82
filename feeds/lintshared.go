package feeds

import "fmt"

// shared judges the facts that belong to no vendor.
func (l *linter) shared(s *Shared) {
	for _, r := range s.Resolvers {
		l.sharedSources(s, "resolvers.yaml", r.Name, r.Sources)
	}
	for _, b := range s.Blocked {
		l.sharedSources(s, "blocked.yaml", b.Kind, b.Sources)
	}
	for _, z := range s.CNAMEs {
		l.sharedSources(s, "cnames.yaml", z.Zone, z.Sources)
	}
	for _, f := range s.Fronts {
		l.sharedSources(s, "fronts.yaml", f.Name, f.Sources)
	}
	for _, h := range s.Hosting {
		l.sharedSources(s, "hosting.yaml", h.Name, h.Sources)
	}
}

func (l *linter) sharedSources(s *Shared, file, what string, ids []string) {
	if len(ids) == 0 {
		l.report(file, 0, "source", what+": no source", "say where the fact comes from; use recalled if it was never checked")
	}
	for _, id := range ids {
		if _, ok := s.Sources[id]; !ok {
			l.report(file, 0, "source", fmt.Sprintf("%s: unknown source %q", what, id), "add it to the sources of the file")
		}
	}
}
