package feeds

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// listOf returns a list of a vendor.
func listOf(name, vendor string) *Feed {
	return &Feed{
		Name: name, Vendor: Vendor{ID: vendor}, Function: FuncCloud, Implies: Likely,
		Confidence: Medium, Source: "test", Digest: sha256.Sum256([]byte(name)),
	}
}

// libraryWith returns the pack demo and lists.
func libraryWith(t testing.TB, list ...*Feed) *Library {
	t.Helper()
	lib := parsed(t, map[string]string{"demo.yaml": demo})
	lib.Feeds = list
	return lib
}

func TestFeedNames(t *testing.T) {
	f := listOf("iocs", "acme")
	f.AddName([]byte("exact.example.com"), ReachExact)
	f.AddName([]byte("suffix.example.com"), ReachSuffix)
	f.AddName([]byte("below.example.com"), ReachBelow)
	f.AddName([]byte("suffix.example.com"), ReachSuffix) // twice
	s := compiled(t, libraryWith(t, f), Options{})
	for name, want := range map[string][]string{
		"exact.example.com":    {"acme:exact:@iocs"},
		"a.exact.example.com":  {},
		"suffix.example.com":   {"acme:suffix:@iocs"},
		"a.suffix.example.com": {"acme:suffix:@iocs"},
		"xsuffix.example.com":  {},
		"below.example.com":    {},
		"a.below.example.com":  {"acme:suffix:@iocs"},
	} {
		if d := cmp.Diff(want, ids(s.Name([]byte(name), nil))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	m := s.Name([]byte("a.suffix.example.com"), nil)[0]
	if m.Start != 2 || m.Vendor.Name != "acme" || s.Vendor("acme") != m.Vendor {
		t.Errorf("match %+v of %+v", m, m.Vendor)
	}
	if got, ok := s.Match("acme:suffix:@iocs"); !ok || got.Indicator != m.Indicator {
		t.Errorf("by id: %+v", got)
	}
}

func TestPackGoesBeforeList(t *testing.T) {
	f := listOf("iocs", "demo")
	f.AddName([]byte("a.upd.demobrand.com"), ReachExact) // longer and exact
	f.AddName([]byte("demobrand.com"), ReachSuffix)
	f.AddName([]byte("other.example.com"), ReachSuffix)
	s := compiled(t, libraryWith(t, f), Options{})
	for name, want := range map[string]string{
		"a.upd.demobrand.com": "demo:suffix:upd.demobrand.com",
		"demobrand.com":       "demo:suffix:demobrand.com",
		"other.example.com":   "demo:suffix:@iocs",
	} {
		if d := cmp.Diff([]string{want}, ids(s.Name([]byte(name), nil))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if v := s.Name([]byte("other.example.com"), nil)[0].Vendor; v.Name != "Demo" {
		t.Errorf("vendor %+v is not the pack's", v)
	}
}

func TestFeedAddressesAndURLs(t *testing.T) {
	a, b := listOf("a", "acme"), listOf("b", "beta")
	a.AddPrefix(netip.MustParsePrefix("192.0.2.0/24"))
	a.AddPrefix(netip.MustParsePrefix("2001:db8::/32"))
	a.AddASN(64496)
	a.AddASN(64496)
	b.AddPrefix(netip.MustParsePrefix("192.0.2.128/25"))
	b.AddPrefix(netip.MustParsePrefix("192.0.2.128/25"))
	a.AddURL("files.example.com", "/x")
	a.AddURL("files.example.com", "/y?id=1")
	b.AddURL("files.example.com", "/x")
	s := compiled(t, libraryWith(t, a, b), Options{})
	for addr, want := range map[string][]string{
		"192.0.2.1":          {"acme:cidr:@a"},
		"192.0.2.200":        {"acme:cidr:@a", "beta:cidr:@b"},
		"::ffff:192.0.2.200": {"acme:cidr:@a", "beta:cidr:@b"},
		"2001:db8::1":        {"acme:cidr:@a"},
		"198.51.100.1":       {},
	} {
		got := ids(s.Addr(netip.MustParseAddr(addr), nil))
		slices.Sort(got)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", addr, d)
		}
	}
	if m := s.ASN(64496, nil); len(m) != 1 || m[0].Indicator.Implies != Located {
		t.Errorf("AS: %v", ids(m))
	}
	for _, c := range []struct {
		host, target string
		want         int
	}{
		{"files.example.com", "/x", 2},
		{"files.example.com", "/x?any=query", 2},
		{"files.example.com", "http://files.example.com/x", 2},
		{"files.example.com", "/y?id=1", 1},
		{"files.example.com", "/y", 0},
		{"files.example.com", "/x/y", 0},
		{"other.example.com", "/x", 0},
		{"", "/x", 0},
		{"files.example.com", "/" + strings.Repeat("x", 4000), 0},
	} {
		if got := s.URL([]byte(c.host), []byte(c.target), nil); len(got) != c.want {
			t.Errorf("%s %.20s: %v", c.host, c.target, ids(got))
		}
	}
}

func TestFeedIsChosenWithItsVendor(t *testing.T) {
	a, b := listOf("a", "acme"), listOf("b", "demo")
	a.AddName([]byte("a.example.com"), ReachSuffix)
	b.AddName([]byte("b.example.com"), ReachSuffix)
	lib := libraryWith(t, a, b)
	s := compiled(t, lib, Options{Vendors: []string{"acme"}})
	if len(s.Name([]byte("a.example.com"), nil)) != 1 || len(s.Name([]byte("b.example.com"), nil)) != 0 {
		t.Error("not the lists of the vendor asked for")
	}
	if _, err := Compile(lib, Options{Vendors: []string{"other"}}); err == nil {
		t.Error("an unknown vendor is no error")
	}
	if s.Generation() == libraryWith(t, a).Generation() {
		t.Error("a list more, and the same generation")
	}
}

func TestFeedValidate(t *testing.T) {
	for want, change := range map[string]func(*Feed){
		"name":           func(f *Feed) { f.Name = "A list" },
		"vendor":         func(f *Feed) { f.Vendor.ID = "" },
		"function":       func(f *Feed) { f.Function = "fun" },
		"only a pack":    func(f *Feed) { f.Function = FuncSinkhole },
		"implies":        func(f *Feed) { f.Implies = Resolved },
		"confidence low": func(f *Feed) { f.Confidence, f.Implies = Low, Installed },
	} {
		f := listOf("a", "acme")
		change(f)
		if _, err := Compile(&Library{Feeds: []*Feed{f}}, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
	if _, err := Compile(&Library{Feeds: []*Feed{listOf("a", "acme"), listOf("a", "acme")}}, Options{}); err == nil {
		t.Error("two lists of one name are no error")
	}
}

// TestListedNamesAreFoundAsByHand holds the Set against trying every entry in turn.
func TestListedNamesAreFoundAsByHand(t *testing.T) {
	label := rapid.StringMatching(`[a-c]{1,2}`)
	name := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(label, 1, 4).Draw(t, "labels"), ".")
	})
	rapid.Check(t, func(t *rapid.T) {
		type entry struct {
			name  string
			reach Reach
			feed  string
		}
		var entries []entry
		feeds := []*Feed{listOf("one", "one"), listOf("two", "two"), listOf("three", "two")}
		for _, f := range feeds {
			for _, n := range rapid.SliceOfN(name, 0, 15).Draw(t, f.Name) {
				r := Reach(rapid.IntRange(0, 2).Draw(t, "reach"))
				f.AddName([]byte(n), r)
				entries = append(entries, entry{n, r, f.Name})
			}
		}
		set, err := Compile(&Library{Feeds: feeds}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range rapid.SliceOfN(name, 1, 20).Draw(t, "asked") {
			// The best of each vendor: an exact entry, else the longest.
			best := map[string]int{}
			for _, e := range entries {
				points := 0
				switch below := strings.HasSuffix(q, "."+e.name); {
				case q == e.name && e.reach == ReachExact:
					points = 1000
				case q == e.name && e.reach == ReachSuffix, below && e.reach != ReachExact:
					points = len(e.name)
				}
				if vendor := map[string]string{"one": "one", "two": "two", "three": "two"}[e.feed]; points > best[vendor] {
					best[vendor] = points
				}
			}
			got := map[string]int{}
			for _, m := range set.Name([]byte(q), nil) {
				got[m.Vendor.ID] = len(q) - int(m.Start)
				if m.Kind == KindExact {
					got[m.Vendor.ID] = 1000
				}
			}
			if d := cmp.Diff(best, got); d != "" {
				t.Fatalf("%s: -by hand +set\n%s", q, d)
			}
		}
	})
}

// million is a list of a million names.
func million(t testing.TB) *Feed {
	t.Helper()
	f := listOf("million", "acme")
	for _, n := range generatedNames(1_000_000) {
		f.AddName([]byte(n), ReachSuffix)
	}
	return f
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

func TestListedNamesStaySmall(t *testing.T) {
	before := heap()
	s := compiled(t, &Library{Feeds: []*Feed{million(t)}}, Options{})
	per := float64(heap()-before) / 1e6
	if len(s.Name([]byte("a.example.com"), nil)) > 1 {
		t.Error("unreachable; keeps the Set in use")
	}
	if per > 80 {
		t.Errorf("%.1f bytes of heap a name, want at most 80", per)
	} else {
		t.Logf("%.1f bytes of heap a name", per)
	}
}

func TestListedLookupsDoNotAllocate(t *testing.T) {
	f := listOf("a", "acme")
	f.AddName([]byte("a.example.com"), ReachSuffix)
	f.AddPrefix(netip.MustParsePrefix("192.0.2.0/24"))
	f.AddURL("files.example.com", "/x")
	s := compiled(t, libraryWith(t, f), Options{})
	dst := make([]Match, 0, 8)
	name, target, addr := []byte("b.a.example.com"), []byte("/x?y"), netip.MustParseAddr("192.0.2.1")
	host := []byte("files.example.com")
	if n := testing.AllocsPerRun(100, func() {
		dst = s.Name(name, dst[:0])
		dst = s.Addr(addr, dst)
		dst = s.URL(host, target, dst)
	}); n != 0 || len(dst) != 3 {
		t.Errorf("%g allocations, %d matches", n, len(dst))
	}
}

// BenchmarkNamesOfSet looks names up in the shipped packs and a list of a million
// names; beside it the same million in a plain map, label by label. The names are made,
// one in a hundred of them listed, or those of real captures, or popular ones.
func BenchmarkNamesOfSet(b *testing.B) {
	listed := generatedNames(1_000_000)
	b.Run("made", func(b *testing.B) { benchmarkNames(b, listed, asked(listed)) })
	b.Run("captured", func(b *testing.B) { benchmarkNames(b, listed, capturedNames(b)) })
	b.Run("popular", func(b *testing.B) {
		benchmarkNames(b, listed, bytes.Fields(sharedFacts(b, "vendors", "_popular20k.txt")))
	})
}

func benchmarkNames(b *testing.B, listed []string, queries [][]byte) {
	b.Run("set", func(b *testing.B) {
		lib := shippedLibrary(b)
		lib.Feeds = []*Feed{million(b)}
		s := compiled(b, lib, Options{})
		lib = nil
		var dst [8]Match
		runtime.GC()
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			s.Name(queries[i%len(queries)], dst[:0])
		}
	})
	b.Run("map", func(b *testing.B) {
		m := make(map[string]uint32, len(listed))
		for i, name := range listed {
			m[name] = uint32(i)
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			lookupMap(m, queries[i%len(queries)])
		}
	})
}

// BenchmarkAddrListed looks addresses up among 200,000 ranges of a list.
func BenchmarkAddrListed(b *testing.B) {
	f := listOf("ranges", "acme")
	r := rand.New(rand.NewPCG(5, 6))
	addr := func() netip.Addr {
		v := r.Uint32()
		return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
	}
	for range 200_000 {
		f.AddPrefix(netip.PrefixFrom(addr(), 16+r.IntN(17)).Masked())
	}
	before := heap()
	s := compiled(b, &Library{Feeds: []*Feed{f}}, Options{})
	per := float64(heap()-before) / 200_000
	asked := make([]netip.Addr, 4096)
	for i := range asked {
		asked[i] = addr()
	}
	var dst [8]Match
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Addr(asked[i%len(asked)], dst[:0])
	}
	b.ReportMetric(per, "B/range")
}

func TestSplitURL(t *testing.T) {
	for in, want := range map[string]string{
		"http://example.com":                "example.com /",
		"https://u:p@example.com:8443/a?b":  "example.com /a?b",
		"example.com/a/b":                   "example.com /a/b",
		"http://[2001:db8::1]:80/x#frag":    "2001:db8::1 /x",
		"http://[2001:db8::1]/x":            "2001:db8::1 /x",
		"hxxp://example.com?x=http://other": "example.com /?x=http://other",
	} {
		host, target, ok := SplitURL(in)
		if got := fmt.Sprintf("%s %s", host, target); !ok || got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	for _, in := range []string{"", "http://", "/only/path", "://"} {
		if host, _, ok := SplitURL(in); ok {
			t.Errorf("%q has the host %q", in, host)
		}
	}
}
