package feeds

import (
	"fmt"
	"net/netip"
	"strings"
)

// survey notes which names the packs hold, before any of them is judged.
func (l *linter) survey() {
	for _, p := range l.lib.Packs {
		for _, b := range p.Brands {
			l.words[b] = p.ID
		}
		for _, i := range p.Indicators {
			if i.Kind != KindSuffix {
				continue
			}
			if _, taken := l.zones[i.Value]; !taken {
				l.zones[i.Value] = i
			}
			for label := range strings.SplitSeq(i.Value, ".") {
				if len(label) >= minBrand && !strings.HasPrefix(label, "xn--") {
					l.words[label] = p.ID
				}
			}
		}
	}
}

// parents calls f with name and each of its parents, longest first, until f says stop.
func parents(name string, f func(parent string) (stop bool)) {
	for ok := true; ok && !f(name); {
		_, name, ok = strings.Cut(name, ".")
	}
}

// contradiction finds names that two packs claim: a contact would count for both.
func contradiction(l *linter, _ *Pack, i *Indicator) (text, hint string) {
	d := domain(i)
	if d == "" || i.Kind == KindLookalike || i.Shared || i.Misleading {
		return "", ""
	}
	var other *Indicator
	parents(d, func(zone string) bool {
		z := l.zones[zone]
		if z != nil && z.Vendor != i.Vendor && !z.Shared && !z.Misleading {
			other = z
		}
		return other != nil
	})
	if other == nil || other.Value == i.Value {
		return "", "" // the same value twice has a rule of its own
	}
	return fmt.Sprintf("lies below %s, which %s has (%s:%d)", other.Value, other.Vendor, other.File, other.Line),
		"decide whose it is, or mark what others use too as shared"
}

// hides finds entries that keep a stronger one of the same vendor from being met: of two
// that match, the more specific one counts.
func hides(l *linter, _ *Pack, i *Indicator) (text, hint string) {
	if i.Confidence != Low || i.Implies < Likely || i.Kind != KindSuffix && i.Kind != KindExact {
		return "", ""
	}
	var other *Indicator
	parents(i.Value, func(zone string) bool {
		z := l.zones[zone]
		if z == nil || z == i || z.Vendor != i.Vendor {
			return false
		}
		other = z
		return true
	})
	if other == nil || other.Implies <= i.Implies || other.Confidence == Low {
		return "", ""
	}
	return fmt.Sprintf("is believed less than %s (line %d), which it hides", other.Value, other.Line),
		"remove it, or find a source"
}

// confusableLabels finds indicators in letters of another script that are read as a name
// of the packs: such a name is a look-alike, and no vendor's.
func confusableLabels(l *linter, _ *Pack, i *Indicator) (text, hint string) {
	if i.Kind == KindLookalike {
		return "", ""
	}
	looks := lookalikes{letters: skeletons()}
	for label := range strings.SplitSeq(domain(i), ".") {
		read, ok := looks.readAs(label)
		if vendor := l.words[read]; ok && vendor != "" {
			return fmt.Sprintf("%s is read as %s, a word of %s", label, read, vendor), "list it as a look-alike"
		}
	}
	return "", ""
}

// readAs returns what a label in Punycode is read as by somebody who expects ASCII.
func (l *lookalikes) readAs(label string) (string, bool) {
	code, foreign := strings.CutPrefix(label, "xn--")
	if !foreign || len(label) > maxLabel {
		return "", false
	}
	var buf [maxLabel]rune
	runes, ok := punycode([]byte(code), &buf)
	if !ok {
		return "", false
	}
	out := make([]byte, 0, len(runes))
	for _, r := range runes {
		out = append(out, l.skeleton(r))
	}
	return string(out), true
}

// overlap finds prefixes that two packs claim.
func overlap(l *linter, _ *Pack, i *Indicator) (text, hint string) {
	if i.Kind != KindCIDR || i.Shared {
		return "", ""
	}
	mine, err := parsePrefix(i.Value)
	if err != nil {
		return "", ""
	}
	for _, p := range l.lib.Packs {
		for _, o := range p.Indicators {
			if o.Kind != KindCIDR || o.Vendor == i.Vendor || o.Shared {
				continue
			}
			if theirs, err := parsePrefix(o.Value); err == nil && overlaps(mine, theirs) {
				return fmt.Sprintf("overlaps %s of %s (%s:%d)", o.Value, o.Vendor, o.File, o.Line), "decide whose it is, or mark it shared"
			}
		}
	}
	return "", ""
}

func overlaps(a, b netip.Prefix) bool { return a != b && a.Overlaps(b) }
