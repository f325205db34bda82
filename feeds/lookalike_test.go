package feeds

import (
	"strings"
	"testing"

	"golang.org/x/net/idna"
	"pgregory.net/rapid"
)

func TestLookalikes(t *testing.T) {
	s := compiled(t, shippedLibrary(t), Options{Own: []string{"corp.example.com"}})
	tests := []struct{ name, want string }{
		{"kaspersky-update.com", "kaspersky:lookalike:brand:kaspersky"},
		{"upd-kaspersky.com", "kaspersky:lookalike:brand:kaspersky"},
		{"kaspersky.com.example.org", "kaspersky:lookalike:brand:kaspersky"},
		{"kaspersky.no-ip.biz", "kaspersky:lookalike:kaspersky.no-ip.biz"},
		{"a.kaspersky.no-ip.biz", "kaspersky:lookalike:kaspersky.no-ip.biz"},
		{"update.studiokaspersky.com", "kaspersky:lookalike:studiokaspersky.com"},
		{"kasperskyy.com", "kaspersky:lookalike:typo:kaspersky"},
		{"kaspesky.com", "kaspersky:lookalike:typo:kaspersky"},
		{"kasperksy.com", "kaspersky:lookalike:typo:kaspersky"},
		{"xkaspersky.com", "kaspersky:lookalike:typo:kaspersky"},
		{"hikvisi0n.com", "hikvision:lookalike:typo:hikvision"},
		{"huawei-support.net", "huawei:lookalike:brand:huawei"},
		{idn(t, "kаspersky.com"), "kaspersky:lookalike:script:kaspersky"}, // Cyrillic а
		{idn(t, "káspersky-update.com"), "kaspersky:lookalike:script:kaspersky"},
		{idn(t, "каѕреrѕку.com"), "kaspersky:lookalike:script:kaspersky"}, // all but one of another script
		{strings.Repeat("a", 60) + "." + idn(t, "каѕреrѕку.com"), "kaspersky:lookalike:script:kaspersky"},
		{strings.Repeat("a", 58) + ".x.kaspersky.net", "kaspersky:lookalike:brand:kaspersky"},
		{"www.kaspersky.com", "kaspersky:suffix:kaspersky.com"}, // the vendor's own
		{"kaspersky.com.edgekey.net", ""},                       // a content network
		{"www-kaspersky-com.trafficmanager.net", ""},
		{"upd.kaspersky.com.corp.example.com", ""}, // search suffix of the operator
		{"kaspersky.corp.local", ""},               // a local host
		{"kaspersky", ""},
		{"www.kaspersky", ""}, // a top-level domain
		{"notkaspersky.com", ""},
		{"mykaspersky.company", ""},
		{"huawe.com", ""}, // too short a brand for misspellings
		{"xn--.com", ""},
		{"xn--0.kas", ""},
		{"", ""},
		{".", ""},
		{"..-.-", ""},
	}
	for _, tt := range tests {
		got := strings.Join(ids(s.Name([]byte(tt.name), nil)), " ")
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestListedLookalikesAreNoContact(t *testing.T) {
	s := shippedSet(t)
	for _, p := range shippedLibrary(t).Packs {
		for _, i := range p.Lookalikes {
			for _, m := range s.Name([]byte("www."+i.Value), nil) {
				if !m.Lookalike || m.Vendor.ID != p.ID || m.Indicator.Implies != None {
					t.Errorf("%s gives %+v, want a look-alike of %s", i.Value, m, p.ID)
				}
			}
		}
	}
}

func idn(t *testing.T, name string) string {
	t.Helper()
	a, err := idna.Punycode.ToASCII(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// distance is the edit distance with exchange of neighbours, by dynamic programming.
func distance(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range b {
		d[0][j+1] = j + 1
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

func TestOneEditIsDistanceOne(t *testing.T) {
	word := rapid.StringMatching(`[ab]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		if got, want := oneEdit([]byte(a), b), distance(a, b) == 1; got != want {
			t.Fatalf("oneEdit(%q, %q) is %v, distance %d", a, b, got, distance(a, b))
		}
	})
}

func TestPunycodeKnownAnswers(t *testing.T) {
	for in, want := range map[string]string{ // RFC 3492 §7.1 and names in use
		"bcher-kva":                "bücher",
		"d1acpjx3f":                "яндекс",
		"p1ai":                     "рф",
		"ihqwcrb4cv8a8dqg056pqjye": "他们为什么不说中文",
		"3B-ww4c5e180e575a65lsy2b": "3年B組金八先生",
		"bcher-kv_":                "",
		"99999999999":              "",
		"":                         "",
	} {
		var buf [maxLabel]rune
		got, ok := punycode([]byte(in), &buf)
		if ok != (want != "" || in == "") || string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", in, string(got), ok, want)
		}
	}
}

func FuzzPunycode(f *testing.F) {
	for _, s := range []string{"bcher-kva", "d1acpjx3f", "p1ai", "-", "a-", "99999999999999", "kasprsky-8za"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, c := range in {
			if c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
				return // not in a canonical label
			}
		}
		var buf [maxLabel]rune
		got, ok := punycode(in, &buf)
		if !ok || len(got) == 0 {
			return
		}
		for _, r := range got {
			if r >= 0xd800 && r < 0xe000 {
				return // no character: the reference refuses it
			}
		}
		want, err := idna.Punycode.ToUnicode("xn--" + string(in))
		if err == nil && !strings.HasPrefix(want, "xn--") && want != string(got) {
			t.Errorf("%q: got %q, want %q", in, string(got), want)
		}
	})
}
