package geo

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"
)

// maxLists bounds the lists of a Watch.
const maxLists = 1024

// WatchConfig says which addresses to hear of. The zero value says none.
type WatchConfig struct {
	// HomeCountries, if any are given, make every other country foreign.
	HomeCountries []string
	// WatchedCountries are foreign. See DefaultCountries.
	WatchedCountries []string
	// WatchedASNs are autonomous systems whose addresses are foreign.
	WatchedASNs []uint32
	// Lists name networks that are foreign. Of two that have an address the longer
	// prefix counts, then the list given first.
	Lists []List
	// SharedASN tells of an AS whose addresses serve many owners in many places. Nil
	// knows none. It may be called by several goroutines at once.
	SharedASN func(uint32) bool
}

// Validate returns everything that is wrong with c.
func (c *WatchConfig) Validate() error {
	home, errs := parseCountries("home", c.HomeCountries)
	watched, more := parseCountries("watched", c.WatchedCountries)
	errs = append(errs, more...)
	for _, code := range watched {
		if slices.Contains(home, code) {
			errs = append(errs, fmt.Errorf("country %s is both home and watched: remove one", code))
		}
	}
	for _, n := range c.WatchedASNs {
		if n == 0 {
			errs = append(errs, errors.New("AS 0 cannot be watched: no address is announced by it (RFC 7607)"))
		}
	}
	return errors.Join(append(errs, c.checkLists()...)...)
}

func (c *WatchConfig) checkLists() (errs []error) {
	if len(c.Lists) > maxLists {
		errs = append(errs, fmt.Errorf("%d lists are too many: give at most %d", len(c.Lists), maxLists))
	}
	seen := map[string]bool{}
	for i, l := range c.Lists {
		switch {
		case l.Name == "":
			errs = append(errs, fmt.Errorf("list %d has no name: give it one", i+1))
		case seen[l.Name]:
			errs = append(errs, fmt.Errorf("two lists are called %s: rename one", l.Name))
		}
		seen[l.Name] = true
		for _, p := range l.Prefixes {
			if _, err := canonical(p); err != nil {
				errs = append(errs, fmt.Errorf("list %s: %w", l.Name, err))
			}
		}
	}
	return errs
}

// parseCountries returns the codes, each once, and what is wrong with the rest.
func parseCountries(what string, codes []string) (good []string, errs []error) {
	for _, s := range codes {
		code, err := parseCountry(s)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s countries: %w", what, err))
		case !slices.Contains(good, code):
			good = append(good, code)
		}
	}
	return good, errs
}

// Watch knows which addresses are foreign. It may be used by several goroutines at once.
type Watch struct {
	countries map[string]Reason
	asns      map[uint32]Reason
	lists     []Reason
	listed    bart.Table[uint16] // index into lists
	shared    func(uint32) bool
}

// NewWatch makes the Watch conf describes.
func NewWatch(conf WatchConfig) (*Watch, error) {
	if err := conf.Validate(); err != nil {
		return nil, err
	}
	w := &Watch{countries: map[string]Reason{}, asns: map[uint32]Reason{}, shared: conf.SharedASN}
	home, _ := parseCountries("home", conf.HomeCountries)
	for i := 0; len(home) > 0 && i < len(countries); i += 2 {
		if code := countries[i : i+2]; !slices.Contains(home, code) {
			w.countries[code] = notHome(code)
		}
	}
	watched, _ := parseCountries("watched", conf.WatchedCountries)
	for _, code := range watched {
		w.countries[code] = watchedCountry(code)
	}
	for _, n := range conf.WatchedASNs {
		w.asns[n] = watchedAS(n)
	}
	for i, l := range conf.Lists {
		w.lists = append(w.lists, listed(l.Name))
		for _, p := range l.Prefixes {
			p, _ = canonical(p)
			if _, taken := w.listed.Get(p); !taken {
				w.listed.Insert(p, uint16(i))
			}
		}
	}
	return w, nil
}

// Foreign reports whether the address a, of which r is known, lies in a watched range,
// and in which: a listed one, else a watched AS, else a watched country, else one that
// is not home. Special space never does. It sets r.Shared.
func (w *Watch) Foreign(a netip.Addr, r *Result) (why Reason, ok bool) {
	r.Shared = false
	if r.Special != "" || !a.IsValid() {
		return Reason{}, false
	}
	r.Shared = w.shared != nil && r.ASN != 0 && w.shared(r.ASN)
	if why, ok = w.inList(a, r); ok {
		return why, true
	}
	if why, ok = w.asns[r.ASN]; ok {
		return why, true
	}
	why, ok = w.countries[r.Country]
	return why, ok
}

// inList looks a up in the lists, and what is carried in it.
func (w *Watch) inList(a netip.Addr, r *Result) (why Reason, ok bool) {
	if len(w.lists) == 0 {
		return Reason{}, false
	}
	a = a.WithZone("")
	p, i, ok := w.listed.LookupPrefixLPM(netip.PrefixFrom(a, a.BitLen()))
	if !ok && r.Via != "" {
		inner, _ := unwrap(a)
		p, i, ok = w.listed.LookupPrefixLPM(netip.PrefixFrom(inner, inner.BitLen()))
	}
	if !ok {
		return Reason{}, false
	}
	why = w.lists[i]
	why.Prefix = p
	return why, true
}
