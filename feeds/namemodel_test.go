package feeds

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// nameModel answers what Set.Name answers in the plainest way: a map of names walked label
// by label, and each word of a name held against each brand.
type nameModel struct {
	set   *Set
	rules map[string][]uint32
}

func modelOf(s *Set) nameModel {
	m := nameModel{set: s, rules: make(map[string][]uint32)}
	for i := range s.names.entries {
		e := &s.names.entries[i]
		name := string(s.names.name(e))
		m.rules[name] = append(m.rules[name], e.rule)
	}
	return m
}

func (m *nameModel) name(name string) []Match {
	if len(name) > maxName {
		return nil
	}
	var out []Match
	for start := len(name) - 1; start >= 0; start-- {
		if start > 0 && !boundary([]byte(name), start) {
			continue
		}
		for _, r := range m.rules[name[start:]] {
			out = m.set.apply([]byte(name), hit{rule: r, start: uint16(start)}, out, 0)
		}
	}
	if like := m.lookalike(name); out == nil && like != nil && m.set.looks.counts([]byte(name)) {
		out = []Match{*like}
	}
	return out
}

func (m *nameModel) lookalike(name string) *Match {
	labels := strings.Split(name, ".")
	for n, label := range labels {
		last := n == len(labels)-1
		if strings.HasPrefix(label, "xn--") {
			if found := m.foreign(label[4:]); found != nil && !last {
				return found
			}
			continue
		}
		words := strings.Split(label, "-")
		if last {
			words = words[:len(words)-1]
		}
		for _, w := range words {
			if found := m.word(w); found != nil {
				return found
			}
		}
	}
	return nil
}

func (m *nameModel) word(w string) *Match {
	for i := range m.set.looks.brands {
		b := &m.set.looks.brands[i]
		if w == b.token {
			return &b.exact
		}
		if len(b.token) >= minTypoBrand && distance(w, b.token) == 1 {
			return &b.typo
		}
	}
	return nil
}

// foreign holds the words of a label in Punycode, as they are read, against the brands.
func (m *nameModel) foreign(label string) *Match {
	var buf [maxLabel]rune
	runes, ok := punycode([]byte(label), &buf)
	if !ok {
		return nil
	}
	var read strings.Builder
	for _, r := range runes {
		read.WriteByte(m.set.looks.skeleton(r))
	}
	for i := range m.set.looks.brands {
		b := &m.set.looks.brands[i]
		if slices.Contains(strings.Split(read.String(), "-"), b.token) {
			return &b.script
		}
	}
	return nil
}

func (m *nameModel) hold(t interface{ Fatalf(string, ...any) }, name string) {
	if got, want := m.set.Name([]byte(name), nil), m.name(name); !slices.Equal(got, want) {
		t.Fatalf("%q: got %q, the model says %q", name, ids(got), ids(want))
	}
}

// manyBrands returns the shipped packs with more brands than they have, so that their
// edges meet, and a list beside them.
func manyBrands(t testing.TB) *Set {
	lib := shippedLibrary(t)
	for i, p := range lib.Packs {
		if token := strings.ReplaceAll(p.ID, "-", ""); i%3 == 0 && len(p.Brands) == 0 && len(token) >= minBrand {
			p.Brands = []string{token}
		}
	}
	f := listOf("mine", "kaspersky")
	for i, n := range []string{"evil.com", "evil.com", "a.b.c.example.co.uk", "x", "kaspersky.no-ip.biz", "_dmarc.kaspersky.com"} {
		f.AddName([]byte(n), Reach(i%int(reachCount)))
	}
	lib.Feeds = []*Feed{f}
	return compiled(t, lib, Options{Own: []string{"corp.example.com"}})
}

func TestNameIsWhatTheModelSays(t *testing.T) {
	m := modelOf(manyBrands(t))
	var pieces []string
	for _, b := range m.set.looks.brands {
		pieces = append(pieces, b.token)
		pieces = append(pieces, misspelt(b.token)...)
		pieces = append(pieces, foreignForms(b.token)...)
	}
	for i := range m.set.names.entries {
		pieces = append(pieces, string(m.set.names.name(&m.set.names.entries[i])))
	}
	slices.Sort(pieces)
	pieces = slices.Compact(pieces)
	rare := []string{"xn--", "xn", "", "com", "co.uk", "local", "x", "corp.example.com", "edgekey.net", `a\`, `\\`, "\xad\xae", strings.Repeat("z", 61)}
	part := rapid.OneOf(rapid.SampledFrom(pieces), rapid.SampledFrom(rare), rapid.StringMatching(`[a-z0-9]{1,12}`))
	between := rapid.SampledFrom([]string{".", ".", ".", "-", "-", "--", ""})
	rapid.Check(t, func(t *rapid.T) {
		var name strings.Builder
		for range rapid.IntRange(1, 8).Draw(t, "parts") {
			name.WriteString(part.Draw(t, "part"))
			name.WriteString(between.Draw(t, "between"))
		}
		m.hold(t, name.String())
		m.hold(t, strings.TrimRight(name.String(), ".-"))
	})
}

func TestPopularNamesAreWhatTheModelSays(t *testing.T) {
	m := modelOf(manyBrands(t))
	for _, n := range strings.Fields(string(sharedFacts(t, "vendors", "_popular20k.txt"))) {
		m.hold(t, n)
		m.hold(t, "kaspersky-"+n)
	}
}

func TestImitationsAreWhatTheModelSays(t *testing.T) {
	m := modelOf(manyBrands(t))
	for i, p := range shippedLibrary(t).Packs {
		if i%4 != 0 && len(p.Brands) == 0 {
			continue // those with brands, and some more
		}
		for _, d := range p.Domains() {
			for _, v := range Variants(d) {
				m.hold(t, v)
			}
		}
	}
}

// FuzzNameModel holds Set.Name against the model.
func FuzzNameModel(f *testing.F) {
	m := modelOf(manyBrands(f))
	for _, n := range []string{"s13.upd.kaspersky.com", "xn--kspersky-2fg.com", `a\.b\\.mi.com`, "a-b-.-.c", ".", "my-kasperskj.example", "xn--.kaspersky.a"} {
		f.Add(n)
	}
	f.Add(strings.Repeat("a", 58) + ".kaspersky.com")
	f.Add(strings.Repeat("a", 60) + ".xn--kspersky-2fg.com")
	f.Fuzz(func(t *testing.T, name string) { m.hold(t, name) })
}

func TestWordCuts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte(".-/,\xae\xad"))), 0, blockSize).Draw(t, "name")
		var want uint64
		for i, c := range b {
			if c == '.' || c == '-' {
				want |= 1 << i
			}
		}
		if got := wordCuts(b); got != want {
			t.Fatalf("%q: %b, want %b", b, got, want)
		}
	})
}

// TestDashedNamesEndAtHyphens holds a table of names with hyphens for dots against every
// entry in turn.
func TestDashedNamesEndAtHyphens(t *testing.T) {
	part := rapid.SampledFrom([]string{"a", "b", "ab", "com"})
	name := func(between ...string) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			s := part.Draw(t, "first")
			for range rapid.IntRange(0, 4).Draw(t, "more") {
				s += rapid.SampledFrom(between).Draw(t, "between") + part.Draw(t, "part")
			}
			return s
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		var b namesBuilder
		listed := rapid.SliceOfNDistinct(name("-"), 0, 20, rapid.ID).Draw(t, "listed")
		for i, n := range listed {
			b.add(n, uint32(i))
		}
		b.t.dashed = true
		table := b.build()
		q := name("-", ".", `\.`, `\\.`).Draw(t, "asked")
		want := make(map[uint32]int)
		for i, n := range listed {
			at := len(q) - len(n)
			if strings.HasSuffix(q, n) && (at == 0 || q[at-1] == '-' || boundary([]byte(q), at)) {
				want[uint32(i)] = at
			}
		}
		got := make(map[uint32]int)
		for _, h := range table.find([]byte(q), nil) {
			got[h.rule] = int(h.start)
		}
		if !maps.Equal(got, want) {
			t.Fatalf("%q among %q: got %v, want %v", q, listed, got, want)
		}
	})
}
