package feeds

import (
	"os"
	"strings"
	"testing"
)

func TestReadmeExampleIsAGoodPack(t *testing.T) {
	raw, err := os.ReadFile("packs/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), "```yaml\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("no example in packs/README.md")
	}
	lib := parsed(t, map[string]string{"acme.yaml": example})
	for _, p := range Lint(lib) {
		t.Error(p)
	}
	if err := validate(t, loadSchema(t, "pack.schema.json"), []byte(example)); err != nil {
		t.Error(err)
	}
	if m := compiled(t, lib, Options{}).Name([]byte("a.upd.acmesecurity.com"), nil); len(m) != 1 || m[0].Indicator.Implies != Installed {
		t.Errorf("the example matches %v", ids(m))
	}
}

func TestReadmeNamesEveryWord(t *testing.T) {
	raw, err := os.ReadFile("packs/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Functions() {
		if !strings.Contains(string(raw), "`"+string(f)+"`") {
			t.Errorf("function %s is missing", f)
		}
	}
	for k := KindSuffix; k <= KindCertificate; k++ {
		if !strings.Contains(string(raw), "`"+k.String()+"`") {
			t.Errorf("kind %s is missing", k)
		}
	}
}

// TestWorkedExample holds the example of docs/packs.md against the linter, the schema and
// what the page says of names.
func TestWorkedExample(t *testing.T) {
	raw, err := os.ReadFile("../docs/packs.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), "```yaml\n")
	example, rest, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("no example in docs/packs.md")
	}
	lib := parsed(t, map[string]string{"acme.yaml": example})
	for _, p := range Lint(lib) {
		t.Error(p)
	}
	if err := validate(t, loadSchema(t, "pack.schema.json"), []byte(example)); err != nil {
		t.Error(err)
	}
	s, rows := compiled(t, lib, Options{}), 0
	for line := range strings.Lines(rest) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 || !strings.Contains(cells[1], "`") {
			continue
		}
		rows++
		name, got := strings.Trim(cells[1], " `"), "nothing"
		if m := s.Name([]byte(name), nil); len(m) == 1 && !m[0].Lookalike {
			got = m[0].Indicator.Implies.String()
		}
		if want := strings.TrimSpace(cells[2]); got != want {
			t.Errorf("%s is %s, the page says %s", name, got, want)
		}
	}
	if rows < 7 {
		t.Errorf("%d names in the table of the page", rows)
	}
}
