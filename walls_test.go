package telltale_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// wallsFile is the one table of who may import whom; the linter depguard reads it too.
const wallsFile = ".depguard.yaml"

// wall is one list of the table: what the files it names may import (Strict) or
// may not (Lax). An entry ending in $ is exact, any other is a prefix.
type wall struct {
	Mode  string            `yaml:"listMode"`
	Files []string          `yaml:"files"`
	Allow []string          `yaml:"allow"`
	Deny  map[string]string `yaml:"deny"`
}

// TestImportWalls holds every import outside tests against the table.
func TestImportWalls(t *testing.T) {
	walls := readWalls(t)
	for _, f := range sources(t) {
		report(t, brokenWalls(walls, f))
	}
}

// TestEveryPackageHasWalls demands a list for each package, so that none is forgotten.
func TestEveryPackageHasWalls(t *testing.T) {
	walls := readWalls(t)
	for _, dir := range packages(sources(t)) {
		w, ok := walls[dir]
		switch {
		case !ok:
			t.Errorf("%s: package without walls: add a list %q to %s", dir, dir, wallsFile)
		case w.Mode != "Strict" || !slices.Equal(w.Files, []string{"**/" + dir + "/*.go", "!$test"}):
			t.Errorf("%s: list %q must be Strict and for the files of that package", wallsFile, dir)
		}
	}
}

// TestBrokenWalls makes sure that the check above can fail.
func TestBrokenWalls(t *testing.T) {
	walls := readWalls(t)
	for _, c := range []struct{ path, imported, want string }{
		{"capture/x.go", "net/netip", ""},
		{"capture/x.go", "telltale/feeds", `capture/x.go:3: capture may not import "telltale/feeds"`},
		{"capture/decode/x.go", "telltale/capture", ""},
		{"capture/decode/x.go", "telltale/capture/proto", `capture/decode/x.go:3: capture/decode may not import "telltale/capture/proto"`},
		{"capture/proto/x.go", "telltale/capture/decode", `capture/proto/x.go:3: capture/proto may not import "telltale/capture/decode"`},
		{"capture/flow/x.go", "telltale/capture/proto", ""},
		{"capture/flow/x.go", "github.com/google/gopacket/layers", `capture/flow/x.go:3: capture/flow may not import "github.com/google/gopacket/layers"`},
		{"feeds/x.go", "telltale/feeds/geo", ""},
		{"feeds/geo/x.go", "telltale/feeds", `feeds/geo/x.go:3: feeds/geo may not import "telltale/feeds"`},
		{"detect/x.go", "telltale/capture", ""},
		{"detect/x.go", "telltale/capture/proto", `detect/x.go:3: detect may not import "telltale/capture/proto"`},
		{"detect/x.go", "go.uber.org/zap", `detect/x.go:3: detect may not import "go.uber.org/zap"`},
		{"detect/x.go", "net/http", `detect/x.go:3: passive forbids "net/http"`},
		{"alert/x.go", "telltale/inventory", `alert/x.go:3: alert may not import "telltale/inventory"`},
		{"alert/sink/x.go", "net/http", ""},
		{"inventory/report/x.go", "telltale/inventory", ""},
		{"inventory/report/x.go", "telltale/alert/sink", `inventory/report/x.go:3: inventory/report may not import "telltale/alert/sink"`},
		{"inventory/web/x.go", "math/rand/v2", ""},
		{"inventory/web/x.go", "math/rand", `inventory/web/x.go:3: banned forbids "math/rand"`},
		{"cmd/telltale/x.go", "telltale/capture/flow", ""},
		{"cmd/telltale/x.go", "unsafe", `cmd/telltale/x.go:3: memory forbids "unsafe"`},
		{"capture/afpacket/x.go", "unsafe", ""},
		{"capture/afpacket/x.go", "net", `capture/afpacket/x.go:3: passive forbids "net"`},
	} {
		f := parse(t, c.path, "package x\n\nimport _ \""+c.imported+"\"\n")
		got := strings.Join(brokenWalls(walls, f), "\n")
		if c.want == "" && got != "" || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s importing %s:\n got  %q\n want %q", c.path, c.imported, got, c.want)
		}
	}
}

// TestNoReplace keeps the module buildable by `go install module@version`.
func TestNoReplace(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if regexp.MustCompile(`(?m)^\s*replace\b`).Match(mod) {
		t.Error("go.mod has a replace directive: require the version that is meant")
	}
}

// TestArchitectureNamesEveryPackage keeps the map of the house true.
func TestArchitectureNamesEveryPackage(t *testing.T) {
	text, err := os.ReadFile("ARCHITECTURE.md")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no ARCHITECTURE.md yet")
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range packages(sources(t)) {
		if !names(string(text), dir) {
			t.Errorf("ARCHITECTURE.md does not name the package %s", dir)
		}
	}
}

// names reports whether text names the package dir itself, not only one below it.
func names(text, dir string) bool {
	return regexp.MustCompile(`(^|[^\w/]|telltale/)` + regexp.QuoteMeta(dir) + `/?([^\w/]|$)`).MatchString(text)
}

func TestNames(t *testing.T) {
	for text, want := range map[string]bool{
		"`capture` holds words":      true,
		"capture: words":             true,
		"import telltale/capture":    true,
		"- capture/":                 true,
		"capture/decode only":        false,
		"packetcapture and captured": false,
	} {
		if got := names(text, "capture"); got != want {
			t.Errorf("names(%q, capture) = %v, want %v", text, got, want)
		}
	}
}

func readWalls(t *testing.T) map[string]wall {
	t.Helper()
	text, err := os.ReadFile(wallsFile)
	if err != nil {
		t.Fatal(err)
	}
	var walls map[string]wall
	if err := yaml.UnmarshalWithOptions(text, &walls, yaml.Strict()); err != nil {
		t.Fatalf("%s: %v", wallsFile, err)
	}
	return walls
}

// brokenWalls returns a line for each import of f that the table does not allow.
func brokenWalls(walls map[string]wall, f source) (broken []string) {
	for _, imp := range f.tree.Imports {
		path := strings.Trim(imp.Path.Value, `"`)
		at := f.line(imp.Pos())
		if w := walls[f.dir]; !standard(path) && !slices.ContainsFunc(w.Allow, matcher(path)) {
			broken = append(broken, fmt.Sprintf("%s: %s may not import %q", at, f.dir, path))
		}
		for name, w := range walls {
			if w.Mode == "Strict" || slices.Contains(w.Files, "!**/"+f.dir+"/*.go") {
				continue
			}
			for entry, instead := range w.Deny {
				if matcher(path)(entry) {
					broken = append(broken, fmt.Sprintf("%s: %s forbids %q: %s", at, name, path, instead))
				}
			}
		}
	}
	return broken
}

// matcher returns the question whether an entry of the table means path.
func matcher(path string) func(entry string) bool {
	return func(entry string) bool {
		if exact, ok := strings.CutSuffix(entry, "$"); ok {
			return path == exact
		}
		return strings.HasPrefix(path, entry)
	}
}

// standard reports whether path is of the standard library: no dot in its first element.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return first != "telltale" && !strings.Contains(first, ".")
}
