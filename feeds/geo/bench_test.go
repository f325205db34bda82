package geo

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

// addresses4 and addresses6 are fixed samples of ordinary space.
func addresses4() []netip.Addr {
	random := rand.New(rand.NewPCG(1, 2))
	all := make([]netip.Addr, 0, 4096)
	for len(all) < cap(all) {
		a := addr4(random.Uint32())
		if name, _ := specialOf(a); name == "" {
			all = append(all, a)
		}
	}
	return all
}

// addresses6 are drawn from the segments of the embedded AS table.
func addresses6(tb testing.TB) []netip.Addr {
	tb.Helper()
	t := readEmbedded(tb, asData)
	half, err := t.v6()
	if err != nil {
		tb.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 4))
	all := make([]netip.Addr, 0, 4096)
	for len(all) < cap(all) {
		all = append(all, half.starts[random.IntN(len(half.starts))].addr6())
	}
	return all
}

func readEmbedded(tb testing.TB, data []byte) *Table {
	tb.Helper()
	t, err := ReadTable(data)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func BenchmarkLookup(b *testing.B) {
	embedded := openDB(b, Config{})
	if err := embedded.Load(); err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	files := openDB(b, Config{NoEmbedded: true, Files: []string{
		writeDB(b, dir, "country.mmdb", "GeoLite2-Country", countryRecords),
		writeDB(b, dir, "asn.mmdb", "GeoLite2-ASN", asnRecords),
	}})
	known := []netip.Addr{netip.MustParseAddr("77.88.8.8"), netip.MustParseAddr("8.8.8.8")}
	for _, c := range []struct {
		name  string
		db    *DB
		addrs []netip.Addr
	}{
		{"embedded/IPv4", embedded, addresses4()},
		{"embedded/IPv6", embedded, addresses6(b)},
		{"files", files, known},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var r Result
			i := 0
			for b.Loop() {
				c.db.Lookup(c.addrs[i%len(c.addrs)], &r)
				i++
			}
		})
	}
}

func BenchmarkTableFind(b *testing.B) {
	t := readEmbedded(b, countryData)
	addrs := addresses4()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		t.find(addrs[i%len(addrs)])
		i++
	}
}

func BenchmarkForeign(b *testing.B) {
	w, err := NewWatch(WatchConfig{WatchedCountries: DefaultCountries(), WatchedASNs: []uint32{64500}})
	if err != nil {
		b.Fatal(err)
	}
	a, r := netip.MustParseAddr("77.88.8.8"), Result{Country: "RU", ASN: 13238}
	b.ReportAllocs()
	for b.Loop() {
		w.Foreign(a, &r)
	}
}

// BenchmarkUnpack is what the first look-up costs.
func BenchmarkUnpack(b *testing.B) {
	for _, c := range []struct {
		name string
		data []byte
	}{{"country", countryData}, {"AS", asData}} {
		b.Run(c.name+"/IPv4", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				readEmbedded(b, c.data).find(netip.MustParseAddr("77.88.8.8"))
			}
		})
		b.Run(c.name+"/all", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := readEmbedded(b, c.data).Load(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Open(Config{}); err != nil {
			b.Fatal(err)
		}
	}
}
