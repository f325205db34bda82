package geo

import (
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/oschwald/maxminddb-golang/v2"
)

var prefixCmp = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

// TestEmbeddedKnowsAddresses looks up addresses that have been where they are for years.
func TestEmbeddedKnowsAddresses(t *testing.T) {
	db := openDB(t, Config{})
	for _, c := range []struct {
		addr, country string
		asn           uint32
		name          string
	}{
		{"77.88.8.8", "RU", 13238, "YANDEX LLC"},
		{"8.8.8.8", "US", 15169, "Google LLC"},
		{"1.1.1.1", "AU", 13335, "Cloudflare, Inc."},
		{"82.202.190.1", "RU", 209030, "Kaspersky Lab AO"},
		{"93.158.134.3", "RU", 13238, "YANDEX LLC"},
		{"2a02:6b8::feed:ff", "RU", 13238, "YANDEX LLC"},
		{"::ffff:77.88.8.8", "RU", 13238, "YANDEX LLC"},
		{"64:ff9b::4d58:808", "RU", 13238, "YANDEX LLC"},
		{"2002:4d58:808::1", "RU", 13238, "YANDEX LLC"},
		{"10.0.0.1", "", 0, ""},
		{"fd00::1", "", 0, ""},
	} {
		r := lookup(db, c.addr)
		if r.Country != c.country || r.ASN != c.asn || r.ASName != c.name {
			t.Errorf("%s: %q AS%d %q, want %q AS%d %q", c.addr, r.Country, r.ASN, r.ASName, c.country, c.asn, c.name)
		}
		inner, via := unwrap(netip.MustParseAddr(c.addr))
		if r.Via != via || !r.Network.Contains(inner) {
			t.Errorf("%s: via %q, network %s", c.addr, r.Via, r.Network)
		}
		if (r.Special == "") != (c.country != "") {
			t.Errorf("%s: special space %q", c.addr, r.Special)
		}
	}
}

func TestEmbeddedSources(t *testing.T) {
	db := openDB(t, Config{})
	if err := db.Load(); err != nil {
		t.Fatal(err)
	}
	sources := db.Sources()
	if len(sources) != 2 || sources[0].Kind != Country || sources[1].Kind != AS {
		t.Fatalf("sources %+v", sources)
	}
	r := lookup(db, "8.8.8.8")
	if r.CountrySource != sources[0].Name || r.ASNSource != sources[1].Name || r.Built != sources[0].Built {
		t.Errorf("result %+v is not of the sources %+v", r, sources)
	}
	for _, s := range sources {
		day := time.Unix(0, s.Built).UTC().Format(time.DateOnly)
		if line := s.Kind.String() + " ranges: " + s.Name + ", built " + day; !strings.Contains(SourceText(), line) {
			t.Errorf("SOURCE.txt does not say %q", line)
		}
	}
	for _, want := range []string{"IP Geolocation by DB-IP (https://db-ip.com)", "routeviews.org", "nro.net", "CC BY 4.0"} {
		if !strings.Contains(SourceText(), want) {
			t.Errorf("SOURCE.txt lacks the attribution %q", want)
		}
	}
}

// TestStackedFiles looks up in databases laid over each other: each field is of the last
// one that knows it, and the network is one all of them agree on.
func TestStackedFiles(t *testing.T) {
	dir := t.TempDir()
	country := writeDB(t, dir, "country.mmdb", "GeoLite2-Country", countryRecords)
	asn := writeDB(t, dir, "asn.mmdb", "GeoLite2-ASN", asnRecords)
	own := writeDB(t, dir, "own.mmdb", "ours", records{"77.88.8.8/31": {"country_code": mmdbtype.String("DE")}})
	const built = fixtureBuilt * int64(time.Second)
	for _, c := range []struct {
		files []string
		addr  string
		want  Result
	}{
		{[]string{country, asn}, "77.88.8.8", Result{
			Country: "RU", ASN: 13238, ASName: "YANDEX LLC", Built: built,
			CountrySource: "country.mmdb", ASNSource: "asn.mmdb", Network: netip.MustParsePrefix("77.88.8.0/24"),
		}},
		{[]string{country, asn, own}, "77.88.8.8", Result{
			Country: "DE", ASN: 13238, ASName: "YANDEX LLC", Built: built,
			CountrySource: "own.mmdb", ASNSource: "asn.mmdb", Network: netip.MustParsePrefix("77.88.8.8/31"),
		}},
		{[]string{own, country}, "77.88.8.8", Result{
			Country: "RU", Built: built, CountrySource: "country.mmdb", Network: netip.MustParsePrefix("77.88.8.0/24"),
		}},
		{[]string{own, country}, "8.8.8.8", Result{
			Country: "US", Built: built, CountrySource: "country.mmdb", Network: netip.MustParsePrefix("8.8.8.0/24"),
		}},
		{[]string{country, own}, "77.88.8.9", Result{
			Country: "DE", Built: built, CountrySource: "own.mmdb", Network: netip.MustParsePrefix("77.88.8.8/31"),
		}},
		{[]string{asn}, "77.88.63.1", Result{
			ASN: 13238, ASName: "YANDEX LLC", Built: built, ASNSource: "asn.mmdb", Network: netip.MustParsePrefix("77.88.0.0/18"),
		}},
		{[]string{country}, "1.1.1.1", Result{
			Country: "AU", Built: built, CountrySource: "country.mmdb", Network: netip.MustParsePrefix("1.1.1.0/24"),
		}},
		{[]string{country}, "2a02:6b8::1", Result{
			Country: "RU", Built: built, CountrySource: "country.mmdb", Network: netip.MustParsePrefix("2a02:6b8::/32"),
		}},
	} {
		db := openDB(t, Config{Files: c.files, NoEmbedded: true})
		if diff := cmp.Diff(c.want, lookup(db, c.addr), prefixCmp); diff != "" {
			t.Errorf("%s in %d files (-want +got):\n%s", c.addr, len(c.files), diff)
		}
	}
}

// TestFilesOverEmbedded: what a file knows counts, for the rest the embedded tables do.
func TestFilesOverEmbedded(t *testing.T) {
	own := writeDB(t, t.TempDir(), "own.mmdb", "ours", records{"8.8.8.8/32": {"country_code": mmdbtype.String("DE")}})
	db := openDB(t, Config{Files: []string{own}})
	r := lookup(db, "8.8.8.8")
	if r.Country != "DE" || r.CountrySource != "own.mmdb" || r.ASN != 15169 || r.ASNSource == "own.mmdb" {
		t.Errorf("address in the file: %+v", r)
	}
	if r.Network != netip.MustParsePrefix("8.8.8.8/32") {
		t.Errorf("address in the file: network %s", r.Network)
	}
	if r := lookup(db, "77.88.8.8"); r.Country != "RU" || r.CountrySource == "own.mmdb" {
		t.Errorf("address the file does not have: %+v", r)
	}
	if n := len(db.Sources()); n != 3 {
		t.Errorf("%d sources, want 3", n)
	}
}

func TestConfigValidate(t *testing.T) {
	err := (&Config{Files: []string{"a", "", "a"}}).Validate()
	for _, want := range []string{"database 2 has no file name", "database a is given twice"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	if err := (&Config{NoEmbedded: true}).Validate(); err == nil {
		t.Error("nothing to look in: no error")
	}
	if err := (&Config{Files: make([]string, maxFiles+1)}).Validate(); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("too many files: error %v", err)
	}
	if _, err := Open(Config{NoEmbedded: true}); err == nil {
		t.Error("Open does not validate")
	}
}

func TestOpenTellsOfEveryFile(t *testing.T) {
	_, err := Open(Config{Files: []string{"no/such.mmdb", "nor/this.mmdb"}})
	if err == nil || !strings.Contains(err.Error(), "no/such.mmdb") || !strings.Contains(err.Error(), "nor/this.mmdb") {
		t.Errorf("error %v", err)
	}
}

func TestInvalidAddress(t *testing.T) {
	r := Result{Country: "RU", Shared: true}
	openDB(t, Config{}).Lookup(netip.Addr{}, &r)
	if r != (Result{}) {
		t.Errorf("result %+v", r)
	}
}

func TestStale(t *testing.T) {
	const day = int64(24 * time.Hour)
	s := Source{Built: 100 * day}
	for at, want := range map[int64]bool{100 * day: false, 190 * day: false, 190*day + 1: true, 0: false} {
		if s.Stale(at) != want {
			t.Errorf("stale on day %d: %v", at/day, !want)
		}
	}
	if age := s.Age(103 * day); age != 72*time.Hour {
		t.Errorf("age %s", age)
	}
	if (Source{}).Stale(1000 * day) {
		t.Error("a source of unknown date is stale")
	}
	if got := nanoseconds(1 << 62); got != 0 {
		t.Errorf("an absurd date is %d", got)
	}
}

// TestLookupDoesNotAllocate: not in the embedded tables, nor in files once they have
// been asked.
func TestLookupDoesNotAllocate(t *testing.T) {
	dir := t.TempDir()
	w, err := NewWatch(WatchConfig{
		HomeCountries: []string{"FI"}, WatchedCountries: DefaultCountries(), WatchedASNs: []uint32{15169},
		Lists: []List{{"list", []netip.Prefix{netip.MustParsePrefix("9.9.9.0/24")}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var addrs []netip.Addr
	for _, s := range []string{"77.88.8.8", "8.8.8.8", "9.9.9.9", "10.0.0.1", "2a02:6b8::1", "::ffff:77.88.8.8", "64:ff9b::4d58:808", "203.0.114.1"} {
		addrs = append(addrs, netip.MustParseAddr(s))
	}
	for name, conf := range map[string]Config{
		"embedded": {},
		"files": {NoEmbedded: true, Files: []string{
			writeDB(t, dir, "c.mmdb", "GeoLite2-Country", countryRecords), writeDB(t, dir, "a.mmdb", "GeoLite2-ASN", asnRecords),
			writeDB(t, dir, "i.mmdb", "ipinfo lite", ipinfoRecords),
		}},
	} {
		db := openDB(t, conf)
		var r Result
		n := testing.AllocsPerRun(100, func() {
			for _, a := range addrs {
				db.Lookup(a, &r)
				if why, ok := w.Foreign(a, &r); ok && why.Key() == "" {
					t.Errorf("%s: no key", a)
				}
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestConcurrentLookups has several goroutines meet unpacking and cache at once.
func TestConcurrentLookups(t *testing.T) {
	db := openDB(t, Config{Files: []string{writeDB(t, t.TempDir(), "i.mmdb", "ipinfo lite", ipinfoRecords)}})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 100 {
				if r := lookup(db, "77.88.8.8"); r.Country != "RU" || r.ASN != 13238 || r.ASNSource != "i.mmdb" {
					t.Errorf("result %+v", r)
				}
				if r := lookup(db, "2a02:6b8::1"); r.Country != "RU" || r.ASN != 13238 {
					t.Errorf("result %+v", r)
				}
			}
		})
	}
	group.Wait()
}

// TestEmbeddedAgainstSource compares the country table with the database it was built
// from, at both ends of every network. GEO_COUNTRY_SOURCE names that database.
func TestEmbeddedAgainstSource(t *testing.T) {
	name := os.Getenv("GEO_COUNTRY_SOURCE")
	if name == "" {
		t.Skip("GEO_COUNTRY_SOURCE names no database")
	}
	source, err := maxminddb.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	table := readEmbedded(t, countryData)
	n := 0
	for res := range source.Networks() {
		var want string
		if err := res.DecodePath(&want, "country_code"); err != nil {
			t.Fatal(err)
		}
		p := res.Prefix()
		if _, got, bits := table.find(p.Addr()); got != want || bits > p.Bits() {
			t.Fatalf("%s: %q for a /%d, want %q", p, got, bits, want)
		}
		n++
	}
	if want := table.Built; want != int64(source.Metadata.BuildEpoch) || n == 0 {
		t.Errorf("%d networks compared, table built %d, source %d", n, want, source.Metadata.BuildEpoch)
	}
}
