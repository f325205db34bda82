package geo

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

func text(s string) mmdbtype.String { return mmdbtype.String(s) }

// TestSchemas opens databases of every shape that is known, by type or by record.
func TestSchemas(t *testing.T) {
	for name, c := range map[string]struct {
		dbType string
		record mmdbtype.Map
		kind   Kind
		want   answer
	}{
		"Country":  {"GeoLite2-Country", mmdbtype.Map{"country": iso("RU")}, Country, answer{country: "RU"}},
		"City":     {"GeoIP2-City", mmdbtype.Map{"country": iso("RU"), "city": mmdbtype.Map{"geoname_id": mmdbtype.Uint32(5)}}, Country, answer{country: "RU"}},
		"DB-IP":    {"DBIP-Country-Lite", mmdbtype.Map{"country": iso("RU")}, Country, answer{country: "RU"}},
		"ASN":      {"GeoLite2-ASN", asnRecords["8.8.8.0/24"], AS, answer{"", 15169, "GOOGLE"}},
		"ISP":      {"GeoIP2-ISP", asnRecords["8.8.8.0/24"], AS, answer{"", 15169, "GOOGLE"}},
		"DB-IP AS": {"DBIP-ASN-Lite (compat=GeoLite2-ASN)", asnRecords["8.8.8.0/24"], AS, answer{"", 15169, "GOOGLE"}},
		"Enterprise": {
			"GeoIP2-Enterprise",
			mmdbtype.Map{"country": iso("US"), "traits": asnRecords["8.8.8.0/24"]},
			Country | AS,
			answer{"US", 15169, "GOOGLE"},
		},
		"registered only":       {"GeoLite2-Country", mmdbtype.Map{"registered_country": iso("RU")}, Country, answer{country: "RU"}},
		"typed, but flat":       {"DBIP-Country-Lite", mmdbtype.Map{"country_code": text("RU")}, Country, answer{country: "RU"}},
		"flat country code":     {"country ipvAll", mmdbtype.Map{"country_code": text("ru")}, Country, answer{country: "RU"}},
		"flat country":          {"x", mmdbtype.Map{"country": text("RU")}, Country, answer{country: "RU"}},
		"nested, unknown type":  {"x", mmdbtype.Map{"country": iso("RU")}, Country, answer{country: "RU"}},
		"IPinfo":                {"ipinfo lite", ipinfoRecords["77.88.8.0/24"], Country | AS, answer{"RU", 13238, "YANDEX LLC"}},
		"AS number as text":     {"x", mmdbtype.Map{"asn": text("15169")}, AS, answer{asn: 15169}},
		"AS number":             {"x", mmdbtype.Map{"asn": mmdbtype.Uint32(15169)}, AS, answer{asn: 15169}},
		"AS number, 64 bits":    {"x", mmdbtype.Map{"asn": mmdbtype.Uint64(15169)}, AS, answer{asn: 15169}},
		"AS number, signed":     {"x", mmdbtype.Map{"asn": mmdbtype.Int32(15169)}, AS, answer{asn: 15169}},
		"AS number, short":      {"x", mmdbtype.Map{"asn": mmdbtype.Uint16(715)}, AS, answer{asn: 715}},
		"MaxMind, unknown type": {"x", asnRecords["8.8.8.0/24"], AS, answer{"", 15169, "GOOGLE"}},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := newFile("f", makeDB(t, c.dbType, records{"8.8.8.0/24": c.record}))
			if err != nil {
				t.Fatal(err)
			}
			var r Result
			prefix := f.fill(netip.MustParseAddr("8.8.8.8"), &r)
			got := answer{r.Country, r.ASN, r.ASName}
			if f.source.Kind != c.kind || got != c.want || prefix != 24 {
				t.Errorf("kind %v, %+v, /%d, want %v, %+v, /24", f.source.Kind, got, prefix, c.kind, c.want)
			}
		})
	}
}

// TestMixedRecords: records of another shape than the most say nothing and are no error.
func TestMixedRecords(t *testing.T) {
	f, err := newFile("f", makeDB(t, "x", records{
		"1.0.0.0/24": {"country": text("Russia"), "asn": text("none")},
		"2.0.0.0/24": {"country": text("RU"), "asn": text("AS64500")},
		"3.0.0.0/24": {"country": mmdbtype.Map{"name": text("x")}, "asn": mmdbtype.Slice{text("AS1")}},
		"4.0.0.0/24": {},
	}))
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]answer{
		"1.0.0.1": {}, "2.0.0.1": {"RU", 64500, ""}, "3.0.0.1": {}, "4.0.0.1": {}, "5.0.0.1": {},
	} {
		var r Result
		f.fill(netip.MustParseAddr(addr), &r)
		if got := (answer{r.Country, r.ASN, r.ASName}); got != want {
			t.Errorf("%s: %+v, want %+v", addr, got, want)
		}
	}
	if n := f.unreadable.Load(); n != 0 {
		t.Errorf("%d unreadable records", n)
	}
}

// TestRecordOfAnotherShape: a field that is no map where a map is looked for has nothing
// in it.
func TestRecordOfAnotherShape(t *testing.T) {
	f, err := newFile("f", makeDB(t, "x", records{
		"1.0.0.0/24": {"country": iso("RU")},
		"2.0.0.0/24": {"country": text("Russia"), "asn": text("AS64500")},
	}))
	if err != nil {
		t.Fatal(err)
	}
	var r Result
	if f.fill(netip.MustParseAddr("2.0.0.1"), &r); r.Country != "" || r.ASN != 64500 || f.unreadable.Load() != 0 {
		t.Errorf("%+v, %d unreadable records", r, f.unreadable.Load())
	}
}

// TestFilesRefused: a file that is of no use says so, and what to do.
func TestFilesRefused(t *testing.T) {
	dir := t.TempDir()
	good := makeDB(t, "GeoLite2-Country", countryRecords)
	for name, c := range map[string]struct{ file, want string }{
		"missing":     {dir + "/missing.mmdb", "check the path"},
		"folder":      {dir, "give the path of the .mmdb file"},
		"empty":       {writeFile(t, dir, "empty.mmdb", nil), "download it again"},
		"text":        {writeFile(t, dir, "text.mmdb", []byte("<html>not found</html>")), "download it again"},
		"cut short":   {writeFile(t, dir, "cut.mmdb", good[:len(good)/2]), "download it again"},
		"gzip":        {writeFile(t, dir, "x.mmdb.gz", []byte{0x1f, 0x8b, 8, 0}), "unpack it"},
		"other data":  {writeDB(t, dir, "domain.mmdb", "GeoIP2-Domain", records{"1.0.0.0/24": {"domain": text("x.example")}}), "neither country nor AS"},
		"no use":      {writeDB(t, dir, "odd.mmdb", "odd", records{"1.0.0.0/24": {"risk": text("high")}}), "neither country nor AS"},
		"no networks": {writeDB(t, dir, "none.mmdb", "GeoLite2-Country", nil), "neither country nor AS"},
	} {
		_, err := Open(Config{Files: []string{c.file}})
		if err == nil || !strings.Contains(err.Error(), c.file) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

func TestIPv4OnlyFile(t *testing.T) {
	db := openDB(t, Config{NoEmbedded: true, Files: []string{writeFile(t, t.TempDir(), "v4.mmdb", makeIPv4DB(t))}})
	if r := lookup(db, "::ffff:8.8.8.8"); r.Country != "US" {
		t.Errorf("IPv4 address: %+v", r)
	}
	if r := lookup(db, "2a02:6b8::1"); r.Country != "" || !r.Network.Contains(netip.MustParseAddr("2a02:6b8::1")) {
		t.Errorf("IPv6 address: %+v", r)
	}
	if n := db.Sources()[0].Unreadable; n != 0 {
		t.Errorf("%d unreadable", n)
	}
}

// TestIPv6OnlyFile: a network beside the IPv4 addresses says nothing of how far they go.
func TestIPv6OnlyFile(t *testing.T) {
	data := writeTree(t, mmdbwriter.Options{DatabaseType: "x", DisableIPv4Aliasing: true},
		records{"::8000:0:0/96": {"country_code": text("RU")}})
	file := writeFile(t, t.TempDir(), "v6.mmdb", data)
	r := lookup(openDB(t, Config{Files: []string{file}, NoEmbedded: true}), "8.8.8.8")
	if r.Country != "" || !r.Network.Contains(netip.MustParseAddr("8.8.8.8")) {
		t.Errorf("result %+v", r)
	}
}

func TestCleanName(t *testing.T) {
	for in, want := range map[string]string{
		"YANDEX LLC":                       "YANDEX LLC",
		" a\u00a0\tb\n":                    "a b",
		"evil\x1b[31m\u202e":               "evil[31m",
		"\xffbad":                          "bad",
		"Телеком":                          "Телеком",
		strings.Repeat("ж", maxName):       strings.Repeat("ж", maxName/2),
		"x" + strings.Repeat("ж", maxName): "x" + strings.Repeat("ж", maxName/2-1),
	} {
		if got := cleanName(in); got != want {
			t.Errorf("cleanName(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestCacheReplaces fills the cache far beyond its size: what it returns stays right,
// and it keeps no more than it has room for.
func TestCacheReplaces(t *testing.T) {
	c := &cache{}
	const n = 3 * (cacheWays << cacheSetBits)
	for offset := range uintptr(n) {
		c.put(offset, answer{asn: uint32(offset)})
		if got := c.get(offset); got == nil || got.asn != uint32(offset) {
			t.Fatalf("record %d: %v", offset, got)
		}
	}
	kept := 0
	for offset := range uintptr(n) {
		if got := c.get(offset); got != nil {
			if kept++; got.asn != uint32(offset) {
				t.Fatalf("record %d is %v", offset, got)
			}
		}
	}
	if kept == 0 || kept > cacheWays<<cacheSetBits {
		t.Errorf("%d records kept, room for %d", kept, cacheWays<<cacheSetBits)
	}
}

// FuzzFile opens hostile databases and looks addresses up in what opens.
func FuzzFile(f *testing.F) {
	f.Add(makeDB(f, "GeoLite2-Country", countryRecords))
	f.Add(makeDB(f, "GeoLite2-ASN", asnRecords))
	f.Add(makeDB(f, "ipinfo lite", ipinfoRecords))
	f.Add(makeIPv4DB(f))
	addrs := []netip.Addr{
		netip.MustParseAddr("77.88.8.8"), netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("2a02:6b8::1"),
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		opened, err := newFile("f", slices.Clone(data))
		if err != nil {
			return
		}
		db := &DB{files: []*file{opened}}
		for _, a := range addrs {
			var first, second Result
			db.Lookup(a, &first)
			db.Lookup(a, &second)
			if first != second {
				t.Errorf("%s: %+v, then %+v", a, first, second)
			}
			if len(first.Country) != 0 && intern(first.Country) == "" || len(first.ASName) > maxName {
				t.Errorf("%s: %+v", a, first)
			}
		}
	})
}
