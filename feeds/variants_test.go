package feeds

import (
	"slices"
	"strings"
	"testing"
)

func TestVariants(t *testing.T) {
	got := Variants("demo-brand.co.uk")
	for _, want := range []string{
		"demo-rand.co.uk", "demo-brrand.co.uk", "dmeo-brand.co.uk", "dem0-brand.co.uk", "derno-brand.co.uk", "demobrand.co.uk",
		"de-mo-brand.co.uk", "update-demo-brand.co.uk", "demo-brandlogin.co.uk", "demo-brand.com", "demo-brand-co-uk.com",
		"xn--demo-brnd-6yh.co.uk", // Cyrillic а
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, n := range got {
		if n == "demo-brand.co.uk" || checkName(n) != nil || strings.Contains(n, "..") || strings.HasPrefix(n, "-") {
			t.Errorf("%q is no variant", n)
		}
	}
	if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Error("not sorted, or some twice")
	}
	for _, none := range []string{"com", "co.uk", ""} {
		if got := Variants(none); got != nil {
			t.Errorf("%q: %v", none, got)
		}
	}
}

// TestVariantsAreNobodys: no indicator of a vendor reaches a name made to be taken for one
// of its own, unless that name is the vendor's too.
func TestVariantsAreNobodys(t *testing.T) {
	lib, s := shippedLibrary(t), shippedSet(t)
	for _, p := range lib.Packs {
		own, tried := p.Domains(), 0
		for _, d := range own {
			for _, v := range Variants(d) {
				if slices.ContainsFunc(own, func(o string) bool { return under([]byte(v), o) }) {
					continue
				}
				for _, name := range []string{v, "update." + v, d + "." + v} {
					tried++
					for _, m := range s.Name([]byte(name), nil) {
						if m.Vendor.ID == p.ID && !m.Lookalike {
							t.Errorf("%s: %s is matched by %s", p.ID, name, m.Indicator.ID)
						}
					}
				}
			}
		}
		if len(own) > 0 && tried < 100 {
			t.Errorf("%s: %d names tried", p.ID, tried)
		}
	}
}

// TestVariantsOfBrandsAreFound: of what imitates a brand, most is reported.
func TestVariantsOfBrandsAreFound(t *testing.T) {
	lib, s := shippedLibrary(t), shippedSet(t)
	for _, p := range lib.Packs {
		for _, brand := range p.Brands {
			all, found := 0, 0
			for _, v := range Variants(brand + ".com") {
				m := s.Name([]byte(v), nil)
				if len(m) > 0 && !m[0].Lookalike {
					continue // the vendor's own, or another's
				}
				all++
				if len(m) == 1 && m[0].Vendor.ID == p.ID {
					found++
				}
			}
			if want := all * 9 / 10; len(brand) >= minTypoBrand && found < want {
				t.Errorf("%s: %d of %d variants are reported, want %d", brand, found, all, want)
			}
			t.Logf("%s: %d of %d", brand, found, all)
		}
	}
}

func FuzzVariants(f *testing.F) {
	for _, n := range []string{"example.com", "a.b.co.uk", "xn--d1acpjx3f.xn--p1ai", "-a-.com", ".", "a..b", "com"} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, name string) {
		domain, err := Canonical(name)
		if err != nil {
			return
		}
		for _, v := range Variants(domain) {
			if v == domain || checkName(v) != nil {
				t.Fatalf("%q of %q is no variant", v, domain)
			}
		}
	})
}
