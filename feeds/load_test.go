package feeds

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const demoTraps = "traps: [{names: [notdemobrand.com], why: ends alike}]\n"

// demo is a small pack without faults.
const demo = `id: demo
name: Demo
version: 2026-01-01
country: US
brands: [demobrand]
indicators:
  - kind: suffix
    value: demobrand.com
    function: web
    implies: visited
    confidence: high
    sources: [doc]
    seen: 2026-01-01
  - kind: suffix
    values: [upd.demobrand.com, upd.demobrand.net]
    function: update
    implies: installed
    confidence: high
    sources: [doc]
    seen: 2026-01-01
` + demoTraps + `sources:
  doc: {kind: vendor-doc, ref: https://demobrand.com/doc, license: facts}
`

func TestLoadTellsFileAndLine(t *testing.T) {
	tests := []struct{ name, file, text, want string }{
		{"unknown field", "demo.yaml", demo + "colour: red\n", "demo.yaml:24: unknown field \"colour\": see packs/README.md"},
		{"unknown field in an entry", "demo.yaml", strings.Replace(demo, "    function: web", "    funktion: web", 1), "demo.yaml:9: unknown field \"funktion\": did you mean function?"},
		{"unknown class", "demo.yaml", strings.Replace(demo, "implies: installed", "implies: sure", 1), "demo.yaml:14: unknown evidence class"},
		{"unknown kind", "demo.yaml", strings.Replace(demo, "kind: suffix", "kind: prefix", 1), "demo.yaml:7: unknown indicator kind"},
		{"a kind with its own section", "demo.yaml", strings.Replace(demo, "kind: suffix", "kind: sinkhole", 1), "demo.yaml:7: kind sinkhole"},
		{"no value", "demo.yaml", strings.Replace(demo, "    value: demobrand.com\n", "", 1), "demo.yaml:7: an entry needs a value"},
		{"repeated key", "demo.yaml", demo + "name: again\n", "demo.yaml:24"},
		{"wrong type", "demo.yaml", strings.Replace(demo, "brands: [demobrand]", "brands: {a: b}", 1), "demo.yaml:5"},
		{"anchor", "demo.yaml", strings.Replace(demo, "name: Demo", "name: &a Demo", 1), "demo.yaml:2"},
		{"not YAML", "demo.yaml", "id: [", "demo.yaml:1"},
		{"empty", "demo.yaml", "# nothing\n", "demo.yaml: the file is empty"},
		{"two documents", "demo.yaml", demo + "---\n" + demo, "more than one YAML document"},
		{"too deep", "demo.yaml", "id: " + strings.Repeat("[", 100000), "nested too deeply"},
		{"too deep in blocks", "demo.yaml", strings.Repeat("- ", 100000) + "x", "nested too deeply"},
		{"other file name", "other.yaml", demo, "must be in a file called demo.yaml"},
		{"bad id", "demo.yaml", strings.Replace(demo, "id: demo", "id: ../demo", 1), "use lower-case letters"},
		{"policy without what", "policies.yaml", "policies:\n  - id: p\n    deadlines:\n      - days: 3\n", "policies.yaml:2: policy p: a deadline must say"},
		{"policy twice", "policies.yaml", "policies:\n  - id: p\n  - id: p\n", "policies.yaml:3: policy p is given twice"},
		{"unknown field of a policy", "policies.yaml", "policies:\n  - id: p\n    vendor: [demo]\n", "policies.yaml:3: unknown field \"vendor\": did you mean vendors?"},
		{"a field of another section", "demo.yaml", demo + "listener: agent\n", "unknown field \"listener\": it is a field of another section"},
		{"unknown asset", "policies.yaml", "policies:\n  - id: p\n    assets: [toaster]\n", "policies.yaml:2: unknown sort of asset"},
		{"unknown severity", "policies.yaml", "policies:\n  - id: p\n    severity: huge\n", "policies.yaml:2: unknown severity"},
		{"bad address", "resolvers.yaml", "resolvers:\n  - name: r\n    addresses: [8.8.8]\n", "resolvers.yaml: reading the prefix"},
		{"walk with too few resolvers", "demo.yaml", demo + "behaviours:\n  - kind: resolver_walk\n    names: [a.demobrand.com]\n    resolvers: [8.8.8.8]\n    min: 2\n", "demo.yaml:25: min is 2"},
	}
	for _, tt := range tests {
		err := (&Library{}).add(tt.file, tt.file, []byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q in it", tt.name, err, tt.want)
		}
	}
}

// TestFieldsAreAllListed: hints can only name fields that are listed.
func TestFieldsAreAllListed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	tag := regexp.MustCompile("`yaml:\"([a-z_]+)")
	found := 0
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range tag.FindAllSubmatch(text, -1) {
			if found++; !slices.Contains(fields[:], string(m[1])) {
				t.Errorf("%s: field %s is not listed", f, m[1])
			}
		}
	}
	if found < 60 || !slices.IsSorted(fields[:]) {
		t.Errorf("%d fields found, sorted %v", found, slices.IsSorted(fields[:]))
	}
}

func TestLoadReportsAllErrors(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "one.yaml", "id: [\n")
	write(t, dir, "two.yaml", "colour: red\n")
	_, err := Load([]string{dir, filepath.Join(dir, "absent")})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"one.yaml:1", "two.yaml:1", "absent"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
}

func TestUserPacksAddAndReplace(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "demo.yaml", demo)
	write(t, dir, "kaspersky.yaml", "id: kaspersky\nname: Replaced\n")
	write(t, dir, "policies.yaml", "policies:\n  - id: us-bod-17-01\n    title: replaced\n  - id: own\n    vendors: [demo]\n")
	write(t, dir, "resolvers.yaml", "resolvers:\n  - name: Ours\n    addresses: [192.0.2.53]\n")
	write(t, dir, "README.txt", "not read")
	lib, err := Load([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	if p := lib.Pack("kaspersky"); p.Name != "Replaced" || len(p.Indicators) != 0 {
		t.Errorf("kaspersky is %q with %d indicators, want the replacement", p.Name, len(p.Indicators))
	}
	if lib.Pack("demo") == nil || lib.Pack("hikvision") == nil || lib.Policy("own") == nil {
		t.Error("a pack or policy is missing")
	}
	if lib.Policy("us-bod-17-01").Title != "replaced" || lib.Policy("us-ndaa18-1634") == nil {
		t.Error("a policy of the same id was not replaced alone")
	}
	if !slices.IsSortedFunc(lib.Packs, func(a, b *Pack) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("packs are not sorted")
	}
	if lib.Generation() == shippedLibrary(t).Generation() {
		t.Error("other content, same generation")
	}
}

func TestGenerationFollowsEveryByte(t *testing.T) {
	a := parsed(t, map[string]string{"demo.yaml": demo}).Generation()
	b := parsed(t, map[string]string{"demo.yaml": demo + "# a comment\n"}).Generation()
	if a == b || len(a) != 16 {
		t.Errorf("generations %q and %q, want two of 16 digits", a, b)
	}
	if a != parsed(t, map[string]string{"demo.yaml": demo}).Generation() {
		t.Error("same content, other generation")
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
