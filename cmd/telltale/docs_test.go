package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"telltale/feeds/importer"
)

// TestFeedsPageIsTrue reads the configurations in docs/feeds.md as the program does, and
// holds its table against the formats there are.
func TestFeedsPageIsTrue(t *testing.T) {
	page, err := os.ReadFile("../../docs/feeds.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) < 2 {
		t.Fatalf("%d configurations in the page", len(blocks))
	}
	for _, b := range blocks {
		var c config
		if err := yaml.UnmarshalWithOptions([]byte(b[1]), &c, yaml.Strict()); err != nil {
			t.Errorf("%v\n%s", err, b[1])
		}
		for i := range c.Feeds {
			l := c.Feeds[i].withDefaults()
			if _, err := l.feed(); err != nil {
				t.Errorf("%s: %v", l.Path, err)
			}
			if err := l.options(nil).Validate(); err != nil {
				t.Errorf("%s: %v", l.Path, err)
			}
		}
	}
	for _, f := range importer.Formats() {
		if !strings.Contains(string(page), "\n| `"+f.Name+"` |") {
			t.Errorf("format %s is not in the table", f.Name)
		}
	}
}
