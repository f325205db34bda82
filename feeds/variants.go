package feeds

import (
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// twins are letters and pairs that are taken for one another in a line of text.
var twins = [...][2]string{
	{"o", "0"},
	{"l", "1"},
	{"i", "1"},
	{"i", "l"},
	{"e", "3"},
	{"s", "5"},
	{"a", "4"},
	{"b", "8"},
	{"g", "9"},
	{"m", "rn"},
	{"w", "vv"},
	{"d", "cl"},
	{"n", "m"},
	{"u", "v"},
	{"k", "lc"},
}

// lures are words that imitators put beside a name.
var lures = [...]string{"account", "cdn", "download", "help", "login", "my", "secure", "security", "support", "update", "updates"}

// soldEverywhere are top-level domains that names of other ones are imitated under.
var soldEverywhere = [...]string{"com", "net", "org", "info", "co", "app", "cloud", "online", "site", "top", "xyz"}

// Domains returns the registrable domains of the names in a pack, sorted.
func (p *Pack) Domains() []string {
	var all []string
	for _, i := range p.Indicators {
		d, err := publicsuffix.EffectiveTLDPlusOne(domain(i))
		if i.Kind.IsName() && err == nil {
			all = append(all, d)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Variants returns names that imitate a domain, sorted: letters left out, doubled,
// exchanged, or replaced by such as look alike, in ASCII and other scripts; hyphens put
// in, taken out or written for dots; words beside it; other top-level domains. Some of
// them may belong to the owner of the domain, or to somebody honest.
func Variants(domain string) []string {
	suffix, _ := publicsuffix.PublicSuffix(domain)
	label, ok := strings.CutSuffix(domain, "."+suffix)
	if !ok {
		return nil
	}
	if cut := strings.LastIndexByte(label, '.'); cut >= 0 {
		label = label[cut+1:]
	}
	var all []string
	for _, l := range slices.Concat(misspelt(label), hyphenated(label), foreignForms(label)) {
		all = append(all, l+"."+suffix)
	}
	for _, w := range lures {
		all = append(all, w+"-"+label+"."+suffix, label+"-"+w+"."+suffix, label+w+"."+suffix)
	}
	for _, t := range soldEverywhere {
		all = append(all, label+"."+t, strings.ReplaceAll(domain, ".", "-")+"."+t)
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(n string) bool { return n == domain || checkName(n) != nil })
}

// misspelt returns a label with one letter wrong.
func misspelt(s string) []string {
	var out []string
	for i := range len(s) {
		out = append(out, s[:i]+s[i+1:], s[:i+1]+s[i:])
		if i > 0 {
			out = append(out, s[:i-1]+s[i:i+1]+s[i-1:i]+s[i+1:])
		}
		for _, t := range twins {
			for _, way := range [...][2]string{t, {t[1], t[0]}} {
				if strings.HasPrefix(s[i:], way[0]) {
					out = append(out, s[:i]+way[1]+s[i+len(way[0]):])
				}
			}
		}
	}
	return slices.DeleteFunc(out, func(l string) bool { return l == "" || l == s || l[0] == '-' || l[len(l)-1] == '-' })
}

// hyphenated returns a label with a hyphen more, and without its hyphens.
func hyphenated(s string) []string {
	var out []string
	for i := 1; i < len(s); i++ {
		if s[i] != '-' && s[i-1] != '-' {
			out = append(out, s[:i]+"-"+s[i:])
		}
	}
	if strings.Contains(s, "-") {
		out = append(out, strings.ReplaceAll(s, "-", ""))
	}
	return out
}

// foreignForms returns a label with one letter of another script, in Punycode.
func foreignForms(s string) []string {
	var out []string
	for i := range len(s) {
		for _, c := range confusable {
			if c.ascii != s[i] {
				continue
			}
			for _, r := range c.like {
				a, err := idna.Punycode.ToASCII(s[:i] + string(r) + s[i+1:])
				if err == nil {
					out = append(out, strings.ToLower(a))
				}
			}
		}
	}
	return out
}

// generated returns look-alikes of the brands of a pack that no rule over words finds:
// with a hyphen inside, and with pairs of letters that are read as one.
func (p *Pack) generated() []*Indicator {
	var out []*Indicator
	for _, brand := range p.Brands {
		forms := hyphenated(brand)
		for _, m := range misspelt(brand) {
			if !oneEdit([]byte(m), brand) {
				forms = append(forms, m)
			}
		}
		slices.Sort(forms)
		for _, f := range slices.Compact(forms) {
			for _, t := range soldEverywhere {
				value := f + "." + t
				out = append(out, &Indicator{
					ID: p.ID + ":lookalike:form:" + value, Vendor: p.ID, Kind: KindLookalike, Value: value,
					Function: FuncLookalike, Confidence: Low, Note: "the brand, written to be taken for it", File: p.File,
				})
			}
		}
	}
	return out
}
