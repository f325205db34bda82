package telltale_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testName = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Za-z0-9]+)`")
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)[A-Za-z0-9]+)\(`)
	caseList = regexp.MustCompile("\\bcases? ((?:`[a-z0-9-]+`(?:, | and )?)+)")
	caseName = regexp.MustCompile("`([a-z0-9-]+)`")
)

// TestDecodingIsTested: in docs/decoding.md each row of what is decoded names a test or a
// case, and every test and case named there exists.
func TestDecodingIsTested(t *testing.T) {
	text, err := os.ReadFile("docs/decoding.md")
	if err != nil {
		t.Fatal(err)
	}
	known := testFuncs(t)
	rows, column := 0, false
	for n, line := range strings.Split(string(text), "\n") {
		for _, m := range testName.FindAllStringSubmatch(line, -1) {
			if !known[m[1]] {
				t.Errorf("line %d: there is no %s", n+1, m[1])
			}
		}
		named := namedCases(line)
		for _, c := range named {
			if _, err := os.Stat(filepath.Join("testdata/case", c, "observations.jsonl")); err != nil {
				t.Errorf("line %d: there is no case %s", n+1, c)
			}
		}
		cells := strings.Split(strings.Trim(line, "| "), "|")
		last := cells[len(cells)-1]
		switch {
		case !strings.HasPrefix(line, "|"):
			column = false
		case strings.TrimSpace(last) == "test":
			column = true
		case column && !strings.HasPrefix(line, "|--"):
			rows++
			if !testName.MatchString(last) && len(namedCases(last)) == 0 {
				t.Errorf("line %d names no test and no case: %s", n+1, line)
			}
		}
	}
	if rows < 60 {
		t.Errorf("%d rows found: the tables of docs/decoding.md are not read", rows)
	}
}

// namedCases returns the cases that line names: "case `a`", "cases `a`, `b`".
func namedCases(line string) (names []string) {
	for _, list := range caseList.FindAllStringSubmatch(line, -1) {
		for _, m := range caseName.FindAllStringSubmatch(list[1], -1) {
			names = append(names, m[1])
		}
	}
	return names
}

// testFuncs returns the names of all tests, fuzz targets and benchmarks.
func testFuncs(t *testing.T) map[string]bool {
	t.Helper()
	known := make(map[string]bool)
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range testFunc.FindAllSubmatch(text, -1) {
			known[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}
