package detect

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/capture"
	"telltale/feeds"
)

// TestFactsFromMemoryShowNoMoreThanLikely: a pack nobody linted claims to be sure of what
// it only recalls.
func TestFactsFromMemoryShowNoMoreThanLikely(t *testing.T) {
	for sources, want := range map[string]feeds.Class{"[recalled]": feeds.Likely, "[doc]": feeds.Installed, "[doc, recalled]": feeds.Installed} {
		dir := t.TempDir()
		text := strings.Replace(`id: acme
name: Acme
version: 2026-01-01
country: US
indicators:
  - {kind: suffix, value: upd.acme-corp.net, function: update, implies: installed, confidence: high, sources: SOURCES, seen: 2026-01-01}
sources:
  doc: {kind: k, ref: r, license: l}
  recalled: {kind: memory, ref: r, license: l}
`, "SOURCES", sources, 1)
		if err := os.WriteFile(filepath.Join(dir, "acme.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		lib, err := feeds.Load([]string{dir})
		if err != nil {
			t.Fatal(err)
		}
		set, err := feeds.Compile(lib, feeds.Options{})
		if err != nil {
			t.Fatal(err)
		}
		b := newBench(t, Config{Set: set})
		b.tls(host1, "203.0.113.77:443", "a.upd.acme-corp.net", "8daaf6152771", capture.Exchanged)
		if f := b.finding("acme"); f == nil || f.Class != want {
			t.Errorf("%s: %+v, want %s", sources, f, want)
		}
	}
}
