package feeds

import (
	"strings"
	"testing"
	"time"
)

func TestLintFindsNothingInShippedPacks(t *testing.T) {
	for _, p := range Lint(shippedLibrary(t)) {
		t.Error(p)
	}
}

// entryOf returns demo with one more indicator; fields replace the usual ones.
func entryOf(fields ...string) string {
	usual := []string{"kind: suffix", "value: x.demobrand.com", "function: update", "implies: installed", "confidence: high", "sources: [doc]", "seen: 2026-01-01"}
	var b strings.Builder
	b.WriteString("  - note: the entry under test\n")
	for _, u := range usual {
		key, _, _ := strings.Cut(u, ":")
		for _, f := range fields {
			if k, v, _ := strings.Cut(f, ":"); k == key {
				if u = f; strings.TrimSpace(v) == "" {
					u = ""
				}
			}
		}
		if u != "" {
			b.WriteString("    " + u + "\n")
		}
	}
	for _, f := range fields {
		if key, _, _ := strings.Cut(f, ":"); !strings.Contains(strings.Join(usual, "\n"), key+":") {
			b.WriteString("    " + f + "\n")
		}
	}
	return strings.Replace(demo, demoTraps, b.String()+demoTraps, 1)
}

func TestLintRules(t *testing.T) {
	const line = 21 // of the entry under test
	tests := []struct{ name, text, rule string }{
		{"a public suffix", entryOf("value: co.uk"), "public-suffix"},
		{"a private suffix", entryOf("value: github.io"), "public-suffix"},
		{"a content network", entryOf("value: akamaized.net"), "shared-apex"},
		{"a content network by regex", entryOf("kind: regex", `value: '^a[0-9]\.akamaized\.net$'`), "shared-apex"},
		{"a bare word", entryOf("value: demobrand"), "bare-word"},
		{"the same twice", entryOf("value: upd.demobrand.com"), "duplicate"},
		{"upper case", entryOf("value: X.demobrand.com"), "malformed"},
		{"a trailing dot", entryOf("value: x.demobrand.com."), "malformed"},
		{"invalid IDNA", entryOf("value: 'x\u00ad\u200b\uffff.demobrand.com'"), "malformed"},
		{"a U-label", entryOf("value: 'ü.demobrand.com'"), "malformed"},
		{"a name folded over two lines", entryOf("value: x- y.demobrand.com"), "malformed"},
		{"an empty label", entryOf("value: x..demobrand.com"), "malformed"},
		{"a regex without end", entryOf("kind: regex", `value: '^x[0-9]\.demobrand\.com'`), "malformed"},
		{"a regex without begin", entryOf("kind: regex", `value: 'x[0-9]\.demobrand\.com$'`), "malformed"},
		{"a regex without domain", entryOf("kind: regex", `value: '^x[0-9]+(com|net)$'`), "malformed"},
		{"a regex that is none", entryOf("kind: regex", `value: '^(x\.demobrand\.com$'`), "malformed"},
		{"a path without anchor", entryOf("kind: http_path", "value: /updates/"), "malformed"},
		{"host bits", entryOf("kind: cidr", "value: 192.0.2.1/24", "implies: located"), "malformed"},
		{"an AS name", entryOf("kind: asn", "value: AS64500", "implies: located"), "malformed"},
		{"a bad port", entryOf("kind: port", "value: sctp/13000", "listener: server"), "malformed"},
		{"a wide port range", entryOf("kind: port", "value: tcp/1-65535", "listener: server"), "malformed"},
		{"a bad OUI", entryOf("kind: oui", "value: 28-57-BE", "implies: device"), "malformed"},
		{"an OUI of 26 bits", entryOf("kind: oui", "value: '28:57:be:40:00:00/26'", "implies: device"), "malformed"},
		{"an OUI with host bits", entryOf("kind: oui", "value: '28:57:be:41:00:00/28'", "implies: device"), "malformed"},
		{"an OUI of nobody", entryOf("kind: oui", "value: 2a:57:be", "implies: device"), "malformed"},
		{"an OUI that installs", entryOf("kind: oui", "value: 28:57:be", "implies: installed"), "identity"},
		{"an identity without place", entryOf("kind: identity", "value: '^Demo'"), "malformed"},
		{"an identity of an unknown protocol", entryOf("kind: identity", "value: 'dns/model=^Demo'"), "malformed"},
		{"an identity of an unknown field", entryOf("kind: identity", "value: 'lldp/colour=^Demo'"), "malformed"},
		{"an identity without anchor", entryOf("kind: identity", "value: 'lldp/model=Demo'"), "malformed"},
		{"a certificate that proves", entryOf("kind: certificate", "value: 'organization=^Demo$'", "implies: installed"), "certificate"},
		{"a certificate of an unknown field", entryOf("kind: certificate", "value: 'issuer=^Demo$'"), "malformed"},
		{"a certificate without anchor", entryOf("kind: certificate", "value: 'organization=Demo'"), "malformed"},
		{"a host name that proves", entryOf("kind: identity", "value: 'any/hostname=^demo-'", "implies: device"), "identity"},
		{"a short magic", entryOf("kind: body_magic", "value: hex:4b4c"), "malformed"},
		{"odd hexadecimal digits", entryOf("kind: body_magic", "value: hex:4b4c443"), "malformed"},
		{"no source", entryOf("sources: []"), "source"},
		{"an unknown source", entryOf("sources: [hearsay]"), "source"},
		{"memory alone, too sure", strings.Replace(entryOf("sources: [recalled]", "implies: likely"), "sources:\n  doc", "sources:\n  recalled: {kind: memory, ref: x, license: n/a}\n  doc", 1), "unchecked"},
		{"memory alone, too strong", strings.Replace(entryOf("sources: [recalled]", "confidence: low"), "sources:\n  doc", "sources:\n  recalled: {kind: memory, ref: x, license: n/a}\n  doc", 1), "unchecked"},
		{"no date", entryOf("seen:"), "date"},
		{"a date that is none", entryOf("seen: 2026-13-01"), "date"},
		{"no class", entryOf("implies:"), "implies"},
		{"an address that proves", entryOf("kind: cidr", "value: 192.0.2.0/24"), "implies"},
		{"an AS that proves", entryOf("kind: asn", "value: '64500'", "implies: likely"), "implies"},
		{"a name that only locates", entryOf("implies: located"), "implies"},
		{"misleading and strong", entryOf("misleading: true"), "standing"},
		{"shared and strong", entryOf("shared: true"), "standing"},
		{"a web site that proves", entryOf("function: web"), "standing"},
		{"no function", entryOf("function:"), "standing"},
		{"no confidence", entryOf("confidence:"), "standing"},
		{"a port of everybody", entryOf("kind: port", "value: tcp/8080", "implies: likely", "listener: server"), "port"},
		{"a port nobody listens on", entryOf("kind: port", "value: tcp/13000"), "port"},
	}
	for _, tt := range tests {
		lib := parsed(t, map[string]string{"demo.yaml": tt.text, "hosting.yaml": "hosting: [{name: Akamai, apexes: [akamaized.net], sources: [x]}]\nsources: {x: {kind: k, ref: r, license: l}}\n"})
		if got := Lint(lib); !hasProblem(got, tt.rule, line) {
			t.Errorf("%s: no problem %s at line %d in %v", tt.name, tt.rule, line, got)
		}
	}
}

// TestLintNamesAcrossPacks: rules that need to know of other entries.
func TestLintNamesAcrossPacks(t *testing.T) {
	const line = 21
	other := strings.NewReplacer("id: demo", "id: other", "name: Demo", "name: Other", "demobrand", "otherbrand").Replace(demo)
	tests := []struct {
		name, text, rule string
		want             bool
	}{
		{"a name below a suffix of another", entryOf("value: a.otherbrand.com"), "contradiction", true},
		{"the same, shared", entryOf("value: a.otherbrand.com", "shared: true", "implies: likely"), "contradiction", false},
		{"the same, misleading", entryOf("value: a.otherbrand.com", "misleading: true", "implies: visited"), "contradiction", false},
		{"a regex below a suffix of another", entryOf("kind: regex", `value: '^a[0-9]\.otherbrand\.com$'`), "contradiction", true},
		{"a name that ends alike", entryOf("value: notherbrand.com"), "contradiction", false},
		{"a doubtful name hides a sure one", entryOf("value: a.upd.demobrand.com", "confidence: low", "implies: likely"), "hides", true},
		{"a doubtful name below a weak one", entryOf("value: a.demobrand.com", "confidence: low", "implies: likely"), "hides", false},
		{"a site set apart", entryOf("value: www.upd.demobrand.com", "confidence: low", "implies: visited", "function: web"), "hides", false},
		{"a name read as a brand", entryOf("value: xn--demobrnd-66g.com"), "confusable", true},
		{"a name read as another's domain", entryOf("value: xn--therbrand-z2h.net"), "confusable", true},
		{"a name in another script", entryOf("value: xn--d1acpjx3f.com"), "confusable", false},
	}
	for _, tt := range tests {
		lib := parsed(t, map[string]string{"demo.yaml": tt.text, "other.yaml": other})
		if got := Lint(lib); hasProblem(got, tt.rule, line) != tt.want {
			t.Errorf("%s: %s is %v in %v", tt.name, tt.rule, !tt.want, got)
		}
	}
}

func TestLintPrefixesOfTwoPacks(t *testing.T) {
	block := func(prefix string) string { return entryOf("kind: cidr", "value: "+prefix, "implies: located") }
	other := strings.NewReplacer("id: demo", "id: other", "demobrand", "otherbrand").Replace(block("192.0.2.128/25"))
	for prefix, want := range map[string]bool{"192.0.2.0/24": true, "198.51.100.0/24": false, "192.0.2.192/26": true} {
		lib := parsed(t, map[string]string{"demo.yaml": block(prefix), "other.yaml": other})
		if got := Lint(lib); hasProblem(got, "contradiction", 21) != want {
			t.Errorf("%s: %v", prefix, got)
		}
	}
}

func TestLintWantsTraps(t *testing.T) {
	got := Lint(parsed(t, map[string]string{"demo.yaml": strings.Replace(demo, demoTraps, "", 1)}))
	if len(got) != 1 || got[0].Rule != "trap" || got[0].Severity != SeverityWarning {
		t.Errorf("a pack without traps: %v", got)
	}
}

func TestStale(t *testing.T) {
	at := time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC)
	lib := parsed(t, map[string]string{"demo.yaml": entryOf("seen: 2027-06-05")})
	if got := Stale(lib, at, 600*24*time.Hour); len(got) != 1 || got[0].Rule != "date" || got[0].Line != 21 || got[0].Severity != SeverityError {
		t.Errorf("a day to come: %v", got)
	}
	lib = parsed(t, map[string]string{"demo.yaml": demo})
	got := Stale(lib, at, 500*24*time.Hour)
	if len(got) != 2 || !hasProblem(got, "stale", 7) || !hasProblem(got, "stale", 14) || got[0].Severity != SeverityWarning {
		t.Errorf("an old pack: %v", got)
	}
	if got := Stale(lib, at, 1000*24*time.Hour); len(got) != 0 {
		t.Errorf("a pack that is not old: %v", got)
	}
}

func TestLintAcceptsAGoodEntry(t *testing.T) {
	if got := Lint(parsed(t, map[string]string{"demo.yaml": entryOf()})); len(got) != 0 {
		t.Errorf("problems in a good pack: %v", got)
	}
}

func TestLintPackRules(t *testing.T) {
	other := strings.NewReplacer("id: demo", "id: other", "upd.demobrand", "upd.otherbrand", "demobrand.net", "otherbrand.net").Replace(demo)
	bare := strings.Replace(demo, demoTraps, "", 1)
	tests := []struct {
		name  string
		files map[string]string
		rule  string
		line  int
	}{
		{"a trap that is matched", map[string]string{"demo.yaml": bare + "traps:\n  - names: [www.demobrand.com]\n    why: test\n"}, "trap", 24},
		{"a look-alike that is matched", map[string]string{"demo.yaml": bare + "lookalikes:\n  - value: x.demobrand.com\n    confidence: high\n    sources: [doc]\n    seen: 2026-01-01\n"}, "trap", 24},
		{"a look-alike that implies", map[string]string{"demo.yaml": bare + "lookalikes:\n  - value: demobrand.org\n    confidence: high\n    implies: visited\n    sources: [doc]\n    seen: 2026-01-01\n"}, "implies", 24},
		{"an unknown policy", map[string]string{"demo.yaml": demo + "policies: [none-such]\n"}, "policy", 0},
		{"a country that is none", map[string]string{"demo.yaml": strings.Replace(demo, "country: US", "country: usa", 1)}, "vendor", 0},
		{"a version that is no date", map[string]string{"demo.yaml": strings.Replace(demo, "version: 2026-01-01", "version: 1.0", 1)}, "vendor", 0},
		{"no name", map[string]string{"demo.yaml": strings.Replace(demo, "name: Demo\n", "", 1)}, "vendor", 0},
		{"a short brand", map[string]string{"demo.yaml": strings.Replace(demo, "[demobrand]", "[mi]", 1)}, "vendor", 0},
		{"a source without terms", map[string]string{"demo.yaml": strings.Replace(demo, ", license: facts", "", 1)}, "source", 0},
		{"the same name in two packs", map[string]string{"demo.yaml": demo, "other.yaml": other}, "duplicate", 7},
		{"a shared fact without source", map[string]string{"hosting.yaml": "hosting: [{name: H}]\n"}, "source", 0},
		{"a shared fact with an unknown source", map[string]string{"cnames.yaml": "zones: [{zone: a.net, sources: [x]}]\n"}, "source", 0},
		{"a policy for nobody", map[string]string{"policies.yaml": "policies:\n  - {id: p, title: t, citation: c, jurisdiction: US, issued: '2026', sources: [x], vendors: [none-such]}\n"}, "policy", 2},
		{"a policy without title", map[string]string{"policies.yaml": "policies:\n  - {id: p, citation: c, jurisdiction: US, issued: '2026', sources: [x]}\n"}, "policy", 2},
		{"a policy with a bad date", map[string]string{"policies.yaml": "policies:\n  - {id: p, title: t, citation: c, jurisdiction: US, issued: 1 May, sources: [x]}\n"}, "policy", 2},
		{"a deadline in a month", map[string]string{"policies.yaml": "policies:\n  - {id: p, title: t, citation: c, jurisdiction: US, issued: '2026', sources: [x], deadlines: [{what: w, date: 2026-01}]}\n"}, "policy", 2},
		{"business days of no number", map[string]string{"policies.yaml": "policies:\n  - {id: p, title: t, citation: c, jurisdiction: US, issued: '2026', sources: [x], deadlines: [{what: w, business_days: true}]}\n"}, "policy", 2},
		{"a policy that counts places", map[string]string{"policies.yaml": "policies:\n  - {id: p, title: t, citation: c, jurisdiction: US, issued: '2026', sources: [x], counts: [located]}\n"}, "policy", 2},
	}
	for _, tt := range tests {
		if got := Lint(parsed(t, tt.files)); !hasProblem(got, tt.rule, tt.line) {
			t.Errorf("%s: no problem %s at line %d in %v", tt.name, tt.rule, tt.line, got)
		}
	}
}

func hasProblem(list []Problem, rule string, line int) bool {
	for _, p := range list {
		if p.Rule == rule && p.Line == line && p.Text != "" && p.Hint != "" {
			return true
		}
	}
	return false
}
