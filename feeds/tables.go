package feeds

import (
	"errors"
	"fmt"

	"github.com/gaissmai/bart"
)

// sharedTables are the look-ups over Shared.
type sharedTables struct {
	resolvers   bart.Table[int32] // index into Shared.Resolvers
	encrypted   names             // rule: index into Shared.Resolvers
	blocked     bart.Table[int32] // index into Shared.Blocked
	blockedName names             // rule: index into Shared.Blocked
	ede         [64 / 8]uint8     // bitmap of extended DNS errors
	cnames      names             // rule: index into Shared.CNAMEs
	fronts      names             // rule: index into Shared.Fronts
	hosts       map[uint32]string
}

func (t *sharedTables) build(s *Shared) error {
	var errs [4]error
	t.encrypted, errs[0] = t.buildResolvers(s.Resolvers)
	t.blockedName, errs[1] = t.buildBlocked(s.Blocked)
	var cnames, fronts zoneBuilder
	for i, z := range s.CNAMEs {
		cnames.add(i, z.Zone)
	}
	for i, f := range s.Fronts {
		fronts.add(i, f.Name)
	}
	t.cnames, errs[2] = cnames.table("zones of content networks")
	t.fronts, errs[3] = fronts.table("fronts")
	t.hosts = make(map[uint32]string)
	for _, h := range s.Hosting {
		for _, n := range h.ASNs {
			t.hosts[n] = h.Name
		}
	}
	return errors.Join(errs[:]...)
}

func (t *sharedTables) buildResolvers(list []Resolver) (names, error) {
	var b zoneBuilder
	for i, r := range list {
		for _, p := range r.Addresses {
			t.resolvers.Insert(p, int32(i))
		}
		b.add(i, r.Names...)
	}
	return b.table("resolvers")
}

func (t *sharedTables) buildBlocked(list []Blocked) (names, error) {
	var b zoneBuilder
	for i, r := range list {
		for _, p := range r.Addresses {
			t.blocked.Insert(p, int32(i))
		}
		b.add(i, r.Names...)
		for _, e := range r.EDE {
			if int(e) >= len(t.ede)*8 {
				b.errs = append(b.errs, fmt.Errorf("extended DNS error %d: give 0 to %d", e, len(t.ede)*8-1))
				continue
			}
			t.ede[e/8] |= 1 << (e % 8)
		}
	}
	return b.table("blocked answers")
}

// zoneBuilder collects names of which each belongs to one rule: the first to claim
// it keeps it.
type zoneBuilder struct {
	names namesBuilder
	known map[string]bool
	errs  []error
}

func (b *zoneBuilder) add(rule int, list ...string) {
	for _, n := range list {
		if err := checkName(n); err != nil {
			b.errs = append(b.errs, err)
		}
		if b.known[n] {
			continue
		}
		if b.known == nil {
			b.known = make(map[string]bool)
		}
		b.known[n] = true
		b.names.add(n, uint32(rule))
	}
}

// table returns the names, and the errors found with what they belong to.
func (b *zoneBuilder) table(what string) (names, error) {
	if err := errors.Join(b.errs...); err != nil {
		return names{}, fmt.Errorf("%s: %w", what, err)
	}
	return b.names.build(), nil
}
