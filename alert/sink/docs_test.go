package sink

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestSettingsAreDocumented: docs/sinks.md tells of every setting of every type, and the
// page of delivery of those that all have.
func TestSettingsAreDocumented(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile("../../docs/sinks.md")
	if err != nil {
		t.Fatal(err)
	}
	all, err := os.ReadFile("../../docs/delivery.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, name := range sources {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		page := string(own)
		if name == "entry.go" {
			page = string(all)
		}
		for _, key := range regexp.MustCompile("`yaml:\"([a-z_]+)\"`").FindAllStringSubmatch(string(text), -1) {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			n++
			if !regexp.MustCompile("[`.]" + key[1] + "`|\\b" + key[1] + ":").MatchString(page) {
				t.Errorf("%s: %s is not documented", name, key[1])
			}
		}
	}
	if n < 60 {
		t.Errorf("%d settings found: the sources are not read", n)
	}
}

// TestPagesOfReceivers: every configuration shown in the documentation makes a sink, and
// every page is in the index.
func TestPagesOfReceivers(t *testing.T) {
	pages, err := filepath.Glob("../../docs/siem/*.md")
	if err != nil || len(pages) < 10 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	index, err := os.ReadFile("../../docs/siem/README.md")
	if err != nil {
		t.Fatal(err)
	}
	a := newAuthority(t)
	cert, key := a.issue(t, "sensor.example.org")
	files := map[string]string{"ca.pem": a.file, "sensor.pem": cert, "sensor.key": key}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	named := regexp.MustCompile(`/etc/telltale/([a-z.]+)`)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		base := filepath.Base(page)
		if base != "README.md" && !strings.Contains(string(index), "("+base+")") {
			t.Errorf("%s is not in the index", base)
		}
		n := 0
		for _, b := range blocks.FindAllStringSubmatch(string(text), -1) {
			n++
			conf := named.ReplaceAllStringFunc(b[1], func(path string) string {
				if f := files[filepath.Base(path)]; f != "" {
					return f
				}
				return secretFile(t, "secret")
			})
			var c struct {
				Sinks []Entry `yaml:"sinks"`
			}
			if err := yaml.UnmarshalWithOptions([]byte(conf), &c, yaml.Strict()); err != nil {
				t.Errorf("%s: %v\n%s", base, err, conf)
				continue
			}
			list, err := Targets(c.Sinks)
			if err != nil || len(list) == 0 {
				t.Errorf("%s: %d sinks, %v\n%s", base, len(list), err, conf)
			}
			for _, x := range list {
				_ = x.Sink.Close()
			}
		}
		if n == 0 && base != "README.md" {
			t.Errorf("%s shows no configuration", base)
		}
	}
}
