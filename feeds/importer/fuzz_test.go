package importer

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"telltale/feeds"
)

// fuzzFormat reads any bytes as one format. Whatever is taken must be fit for look-ups.
func fuzzFormat(f *testing.F, format string) {
	for _, dir := range []string{"good", "bad"} {
		for _, path := range samples(f, dir) {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			if format == "auto" || strings.Contains(path, format) {
				f.Add(data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		opts := sample()
		opts.Format, opts.MaxBytes, opts.MaxEntries = format, 1<<20, 1000
		list := newFeed()
		rep, _ := Read(bytes.NewReader(data), list, opts)
		if list.Len() != rep.Taken() {
			t.Errorf("%d entries, %d reported", list.Len(), rep.Taken())
		}
		for name := range list.Names() {
			c, err := feeds.Canonical(string(name))
			if err != nil || c != string(name) {
				t.Errorf("name %q is not canonical: %q, %v", name, c, err)
			}
		}
		for _, p := range list.Prefixes() {
			if !p.IsValid() || p != p.Masked() {
				t.Errorf("prefix %v", p)
			}
		}
		if _, err := feeds.Compile(&feeds.Library{Feeds: []*feeds.Feed{list}}, feeds.Options{}); err != nil {
			t.Errorf("what was taken does not compile: %v", err)
		}
	})
}

func FuzzPlain(f *testing.F)           { fuzzFormat(f, "plain") }
func FuzzHosts(f *testing.F)           { fuzzFormat(f, "hosts") }
func FuzzDnsmasq(f *testing.F)         { fuzzFormat(f, "dnsmasq") }
func FuzzAdblock(f *testing.F)         { fuzzFormat(f, "adblock") }
func FuzzRPZ(f *testing.F)             { fuzzFormat(f, "rpz") }
func FuzzCSV(f *testing.F)             { fuzzFormat(f, "csv") }
func FuzzSuricataDataset(f *testing.F) { fuzzFormat(f, "suricata-dataset") }
func FuzzSuricataIPRep(f *testing.F)   { fuzzFormat(f, "suricata-iprep") }
func FuzzZeekIntel(f *testing.F)       { fuzzFormat(f, "zeek-intel") }
func FuzzMISP(f *testing.F)            { fuzzFormat(f, "misp") }
func FuzzSTIX(f *testing.F)            { fuzzFormat(f, "stix") }
func FuzzRIR(f *testing.F)             { fuzzFormat(f, "rir") }
func FuzzASNPrefix(f *testing.F)       { fuzzFormat(f, "asn-prefix") }

// FuzzAuto tells the format too.
func FuzzAuto(f *testing.F) { fuzzFormat(f, "auto") }
