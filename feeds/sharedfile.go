package feeds

import (
	"errors"
	"maps"
	"net/netip"
	"slices"
)

// sharedFiles are the names under which facts that belong to no vendor are kept.
var sharedFiles = [...]string{"blocked.yaml", "cnames.yaml", "fronts.yaml", "hosting.yaml", "resolvers.yaml"}

// sharedFile is one of them as it is written; each uses one of the lists.
type sharedFile struct {
	Resolvers []resolverEntry   `yaml:"resolvers"`
	Answers   []blockedEntry    `yaml:"answers"`
	Zones     []CNAMEZone       `yaml:"zones"`
	Fronts    []Front           `yaml:"fronts"`
	Hosting   []Host            `yaml:"hosting"`
	Sources   map[string]Source `yaml:"sources"`
}

type resolverEntry struct {
	Name      string   `yaml:"name"`
	Names     []string `yaml:"names"`
	Addresses []string `yaml:"addresses"`
	Sources   []string `yaml:"sources"`
	Note      string   `yaml:"note"`
}

type blockedEntry struct {
	Kind      string   `yaml:"kind"`
	Names     []string `yaml:"names"`
	Addresses []string `yaml:"addresses"`
	EDE       []uint16 `yaml:"ede"`
	Sources   []string `yaml:"sources"`
	Note      string   `yaml:"note"`
}

// isShared reports whether a file of that name holds shared facts.
func isShared(name string) bool { return slices.Contains(sharedFiles[:], name) }

// addShared appends what a shared file holds.
func (l *Library) addShared(file string, data []byte, sum [32]byte) error {
	var f sharedFile
	if err := l.forms.read(file, data, sum, &f); err != nil {
		return err
	}
	s := &l.Shared
	var errs []error
	for _, r := range f.Resolvers {
		p, err := parsePrefixes(r.Addresses)
		errs = append(errs, err)
		s.Resolvers = append(s.Resolvers, Resolver{Name: r.Name, Names: r.Names, Addresses: p, Sources: r.Sources, Note: r.Note})
	}
	for _, b := range f.Answers {
		p, err := parsePrefixes(b.Addresses)
		errs = append(errs, err)
		s.Blocked = append(s.Blocked, Blocked{Kind: b.Kind, Names: b.Names, Addresses: p, EDE: b.EDE, Sources: b.Sources, Note: b.Note})
	}
	s.CNAMEs = append(s.CNAMEs, f.Zones...)
	s.Fronts = append(s.Fronts, f.Fronts...)
	s.Hosting = append(s.Hosting, f.Hosting...)
	if s.Sources == nil {
		s.Sources = make(map[string]Source)
	}
	maps.Copy(s.Sources, f.Sources)
	if err := errors.Join(errs...); err != nil {
		return &fileError{file: file, err: err}
	}
	return nil
}

// parsePrefixes reads addresses and prefixes.
func parsePrefixes(list []string) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, 0, len(list))
	for _, s := range list {
		p, err := parsePrefix(s)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}
