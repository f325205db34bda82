package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"telltale/feeds"
	"telltale/feeds/bundle"
	"telltale/feeds/geo"
	"telltale/feeds/importer"
)

// feedConfig is one list of the operator. docs/feeds.md describes it.
type feedConfig struct {
	Name       string   `yaml:"name"`
	Path       string   `yaml:"path"`
	Format     string   `yaml:"format"`
	Vendor     string   `yaml:"vendor"`
	VendorName string   `yaml:"vendor_name"`
	Product    string   `yaml:"product"`
	Function   string   `yaml:"function"`
	Implies    string   `yaml:"implies"`
	Confidence string   `yaml:"confidence"`
	Source     string   `yaml:"source"`
	Match      string   `yaml:"match"` // exact or suffix
	Countries  []string `yaml:"countries"`
	ASNs       []uint32 `yaml:"asns"`
	MinScore   int      `yaml:"min_score"`
	Watch      bool     `yaml:"watch"` // its ranges are foreign; it speaks of no vendor
	MaxBad     *float64 `yaml:"max_bad"`
	MaxMiB     int64    `yaml:"max_mib"`
	MaxEntries int      `yaml:"max_entries"`
	URL        string   `yaml:"url"`
	Key        string   `yaml:"key"`
}

// withDefaults fills in what a list need not say.
func (c feedConfig) withDefaults() feedConfig {
	for _, d := range []struct {
		field *string
		value string
	}{
		{&c.Name, listName(c.Path)},
		{&c.Function, string(feeds.FuncWeb)},
		{&c.Implies, feeds.Visited.String()},
		{&c.Confidence, string(feeds.Medium)},
		{&c.Source, c.URL},
	} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if c.Vendor == "" {
		c.Vendor = c.Name
	}
	if c.Source == "" {
		c.Source = c.Path
	}
	return c
}

// listName makes an id of a file's name.
func listName(path string) string {
	base := strings.ToLower(filepath.Base(path))
	for _, end := range []string{".gz", ".zst", filepath.Ext(strings.TrimSuffix(strings.TrimSuffix(base, ".gz"), ".zst"))} {
		base = strings.TrimSuffix(base, end)
	}
	id := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '-'
	}, base)
	return id[:min(len(id), 64)]
}

// feed returns the empty list that c describes.
func (c *feedConfig) feed() (*feeds.Feed, error) {
	f := &feeds.Feed{
		Name: c.Name, Vendor: feeds.Vendor{ID: c.Vendor, Name: c.VendorName}, Product: c.Product,
		Source: c.Source, File: c.Path,
	}
	err := errors.Join(
		f.Function.UnmarshalText([]byte(c.Function)),
		f.Implies.UnmarshalText([]byte(c.Implies)),
		f.Confidence.UnmarshalText([]byte(c.Confidence)),
	)
	if err == nil {
		err = f.Validate()
	}
	return f, err
}

func (c *feedConfig) options(zones map[string]string) importer.Options {
	return importer.Options{
		Format: c.Format, Reach: c.Match, Countries: c.Countries, ASNs: c.ASNs, MinScore: c.MinScore,
		MaxBad: c.MaxBad, MaxBytes: c.MaxMiB << 20, MaxEntries: c.MaxEntries,
		Shared: func(name string) (string, bool) { owner, ok := zones[name]; return owner, ok },
		Now:    time.Now().UnixNano(),
	}
}

// read reads the list that c, with its defaults, describes.
func (c *feedConfig) read(zones map[string]string) (*feeds.Feed, *importer.Report, error) {
	if c.Path == "" {
		return nil, nil, errors.New("a list without a path: say which file")
	}
	f, err := c.feed()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", c.Path, err)
	}
	return c.readWith(f, c.options(zones))
}

// readWith reads the file of c into f.
func (c *feedConfig) readWith(f *feeds.Feed, opts importer.Options) (*feeds.Feed, *importer.Report, error) {
	file, err := os.Open(c.Path)
	if err != nil {
		return nil, nil, fmt.Errorf("opening a list: %w", err)
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err == nil {
		f.Seen = info.ModTime().UTC().Format(time.DateOnly)
	}
	rep, err := importer.Read(file, f, opts)
	if err != nil {
		err = fmt.Errorf("%s: %w", c.Path, err)
	}
	return f, rep, err
}

// manyEntries is the size of lists from which on memory is given back after reading.
const manyEntries = 100_000

// lists reads the lists of the configuration into lib, or sets the ranges of those that
// name foreign ones aside.
func (k *knowledge) lists(c *config, lib *feeds.Library) error {
	zones, entries := lib.SharedZones(), 0
	var errs []error
	for i := range c.Feeds {
		l := c.Feeds[i].withDefaults()
		f, rep, err := l.read(zones)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if rep.Bad > 0 {
			k.warnings = append(k.warnings, fmt.Sprintf("%s: %d bad lines beside %d good ones, the first %s: see 'telltale feeds import'", l.Path, rep.Bad, rep.Taken(), rep.Shown[0]))
		}
		if l.Watch {
			k.watched = append(k.watched, geo.List{Name: l.Name, Prefixes: f.Prefixes()})
			continue
		}
		lib.Feeds = append(lib.Feeds, f)
		entries += f.Len()
	}
	if entries > manyEntries {
		debug.FreeOSMemory() // reading leaves more garbage than list
	}
	return errors.Join(errs...)
}

// loadPacks reads the embedded packs and then directories and bundles. With a key, a
// bundle must be signed with it.
func loadPacks(paths []string, key string) (*feeds.Library, error) {
	lib, err := feeds.Load(nil)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, p := range paths {
		info, err := os.Stat(p)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("opening packs: %w", err))
		case info.IsDir():
			errs = append(errs, lib.AddDir(p))
		default:
			b, err := readBundle(p, key)
			if err == nil {
				err = lib.AddFiles(b.Files, p)
			}
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return lib, nil
}

// readBundle reads a bundle and, if there is a key, verifies it.
func readBundle(path, key string) (*bundle.Bundle, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening a bundle: %w", err)
	}
	defer func() { _ = f.Close() }()
	b, err := bundle.Read(f)
	if err == nil && key != "" {
		var k bundle.PublicKey
		if k, err = publicKey(key); err == nil {
			err = b.Verify(k)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// publicKey reads a public key given as text or as the name of a file.
func publicKey(s string) (bundle.PublicKey, error) {
	if k, err := bundle.ParsePublicKey(s); err == nil {
		return k, nil
	}
	text, err := os.ReadFile(s)
	if err != nil {
		return bundle.PublicKey{}, fmt.Errorf("reading the public key, which is neither the text of one nor a file: %w", err)
	}
	return bundle.ParsePublicKey(string(text))
}

// explainListed says which entry of which list a Match comes from.
func explainListed(w *strings.Builder, m *feeds.Match, x *feeds.Explanation) {
	entry := ""
	if m.Kind.IsName() {
		entry = fmt.Sprintf(", entry %s", x.Name[m.Start:])
	}
	fmt.Fprintf(w, "    list %s%s: %s, in %s\n", m.Indicator.Feed, entry, m.Indicator.Note, m.Indicator.File)
}

// sortedSkips returns what was left out of a list, the most frequent first.
func sortedSkips(skipped map[string]int) []string {
	var out []string
	for what := range skipped {
		out = append(out, what)
	}
	slices.SortFunc(out, func(a, b string) int {
		if skipped[a] != skipped[b] {
			return skipped[b] - skipped[a]
		}
		return strings.Compare(a, b)
	})
	return out
}
