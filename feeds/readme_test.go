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
	for k := KindSuffix; k <= KindIdentity; k++ {
		if !strings.Contains(string(raw), "`"+k.String()+"`") {
			t.Errorf("kind %s is missing", k)
		}
	}
}
