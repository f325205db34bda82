package feeds

import (
	"errors"
	"fmt"
)

// lookalikes recognises names that imitate a vendor's and are on no list. It is asked
// only about names no indicator matched.
type lookalikes struct {
	brands  []brand
	edges   wordEdges
	letters map[rune]byte // what characters of other scripts are read as
	exempt  names         // zones where a customer's name is no imitation, and the operator's own
}

// brand is a token of a vendor and the Matches it may give.
type brand struct {
	token  string
	typos  bool // long enough that one edit still looks like it and like nothing else
	exact  Match
	typo   Match
	script Match
}

// compileLookalikes prepares the brands of the packs.
func compileLookalikes(packs []*Pack, zones []CNAMEZone, own []string) (lookalikes, error) {
	l := lookalikes{letters: skeletons()}
	var errs []error
	for _, p := range packs {
		for _, token := range p.Brands {
			if err := checkBrand(token); err != nil {
				errs = append(errs, &fileError{file: p.File, err: err})
				continue
			}
			l.add(p, token)
		}
	}
	var exempt zoneBuilder
	for i, z := range zones {
		exempt.add(i, z.Zone)
	}
	for _, z := range own {
		c, err := Canonical(z)
		if err != nil {
			errs = append(errs, fmt.Errorf("the operator's own zones: %w", err))
			continue
		}
		exempt.add(len(zones), c)
	}
	table, err := exempt.table("zones")
	l.exempt = table
	return l, errors.Join(append(errs, err)...)
}

func (l *lookalikes) add(p *Pack, token string) {
	match := func(rule, note string) Match {
		i := &Indicator{
			ID: p.ID + ":lookalike:" + rule + ":" + token, Vendor: p.ID, Kind: KindLookalike, Value: token,
			Function: FuncLookalike, Confidence: Low, Note: note, File: p.File,
		}
		return Match{Indicator: i, Vendor: &p.Vendor, Kind: KindLookalike, Lookalike: true}
	}
	b := brand{
		token:  token,
		typos:  len(token) >= minTypoBrand,
		exact:  match("brand", "the brand as a word in a name that is not known to be the vendor's"),
		typo:   match("typo", "one letter away from the brand"),
		script: match("script", "letters of another script that look like the brand"),
	}
	l.brands = append(l.brands, b)
	l.edges.add(token, b.typos)
}

// find appends the Match of the first label, from the left, that imitates a brand. The
// last label does not count: a top-level domain cannot be had by anybody.
func (l *lookalikes) find(name []byte, dst []Match) []Match {
	if len(l.brands) == 0 || len(name) > maxName || !l.edges.may(name) {
		return dst
	}
	label, word, foreign := 0, 0, false
	for i, c := range name {
		if c != '.' && c != '-' {
			continue
		}
		var m *Match
		switch {
		case !foreign:
			foreign = c == '-' && i == label+2 && hasACEPrefix(name[label:])
			m = l.word(name[word:i])
		case c == '.':
			m = l.foreign(name[label+4 : i])
		}
		if m != nil {
			if l.counts(name) {
				dst = append(dst, *m)
			}
			return dst
		}
		if word = i + 1; c == '.' {
			label, foreign = word, false
		}
	}
	return dst
}

// hasACEPrefix reports whether a label is in Punycode (RFC 5890 §2.3.2.1).
func hasACEPrefix(label []byte) bool { return len(label) > 4 && string(label[:4]) == "xn--" }

// word returns the Match of a word of a label, parted by hyphens, nil if it resembles no
// brand.
func (l *lookalikes) word(t []byte) *Match {
	if len(t) < minBrand {
		return nil
	}
	for i := range l.brands {
		b := &l.brands[i]
		if string(t) == b.token {
			return &b.exact
		}
		// One edit leaves the first or the last letter in place.
		if b.typos && (t[0] == b.token[0] || t[len(t)-1] == b.token[len(b.token)-1]) && oneEdit(t, b.token) {
			return &b.typo
		}
	}
	return nil
}

// foreign returns the Match of a label in Punycode, nil if it resembles no brand.
func (l *lookalikes) foreign(label []byte) *Match {
	var buf [maxLabel]rune
	runes, ok := punycode(label, &buf)
	if !ok {
		return nil
	}
	var ascii [maxLabel]byte
	n := 0
	for _, r := range runes {
		ascii[n] = l.skeleton(r)
		n++
	}
	word := ascii[:n]
	for i := range l.brands {
		if hasWord(word, l.brands[i].token) {
			return &l.brands[i].script
		}
	}
	return nil
}

// counts reports whether name lies where an imitation would be one.
func (l *lookalikes) counts(name []byte) bool {
	if _, exempt := l.exempt.longest(name); exempt {
		return false
	}
	last := len(name) - 1
	for last >= 0 && name[last] != '.' {
		last--
	}
	return !specialTLD(name[last+1:])
}
