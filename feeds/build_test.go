package feeds

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

// shippedLibrary loads the embedded packs.
func shippedLibrary(t testing.TB) *Library {
	t.Helper()
	lib, err := Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	return lib
}

// shippedSet compiles the embedded packs.
func shippedSet(t testing.TB) *Set {
	t.Helper()
	return compiled(t, shippedLibrary(t), Options{})
}

func compiled(t testing.TB, lib *Library, opts Options) *Set {
	t.Helper()
	s, err := Compile(lib, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// parsed reads packs given as text by file name.
func parsed(t testing.TB, files map[string]string) *Library {
	t.Helper()
	lib := &Library{}
	for name, text := range files {
		if err := lib.add(name, name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return lib
}

// shared returns the content of a file of reference facts kept beside the repository,
// and skips the test where there is none.
func sharedFacts(t testing.TB, parts ...string) []byte {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; filepath.Dir(dir) != dir; dir = filepath.Dir(dir) {
		b, err := os.ReadFile(filepath.Join(append([]string{dir, "shared"}, parts...)...))
		if err == nil {
			return b
		}
	}
	t.Skipf("no reference file %s", strings.Join(parts, "/"))
	return nil
}

// capturedNames returns the names of real captures: those that hellos, HTTP requests and
// DNS questions of each client hold, one after the other.
func capturedNames(t testing.TB) [][]byte {
	t.Helper()
	var out [][]byte
	for line := range strings.Lines(string(sharedFacts(t, "captures", "MANIFEST.tsv"))) {
		name, _, _ := strings.Cut(line, "\t")
		if name == "name" {
			continue
		}
		var expected struct{ Pairs map[string][][2]string }
		if err := json.Unmarshal(sharedFacts(t, "captures", name+".oracle.json"), &expected); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, proto := range []string{"dns", "tls", "quic", "http"} {
			for _, pair := range expected.Pairs[proto] {
				if c, err := Canonical(pair[1]); err == nil {
					out = append(out, []byte(c))
				}
			}
		}
	}
	return out
}

// golden compares got with a file, or rewrites it under -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s differs; run with -update and read the change\n--- have\n%s--- want\n%s", file, got, want)
	}
}

// generated compares got with a file made by make packs, or rewrites it under -update.
func generated(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if have, err := os.ReadFile(path); err != nil || string(have) != got {
		t.Errorf("%s is not made of the packs as they are (%v): run make packs", path, err)
	}
}

// ids returns the indicator ids of matches.
func ids(list []Match) []string {
	out := []string{}
	for _, m := range list {
		out = append(out, m.Indicator.ID)
	}
	return out
}
