package geo

import (
	"net/netip"
	"strings"
	"testing"
)

// TestForeign walks through the reasons and their order.
func TestForeign(t *testing.T) {
	lists := []List{
		{"wide.txt", []netip.Prefix{netip.MustParsePrefix("5.0.0.0/8"), netip.MustParsePrefix("5.5.0.0/16"), netip.MustParsePrefix("2a00::/16")}},
		{"narrow.txt", []netip.Prefix{netip.MustParsePrefix("5.5.5.0/24"), netip.MustParsePrefix("5.5.0.0/16")}},
		{"nat.txt", []netip.Prefix{netip.MustParsePrefix("64:ff9b::/96")}},
	}
	watch := WatchConfig{
		WatchedCountries: []string{"ru", " BY"}, WatchedASNs: []uint32{13238, 13335}, Lists: lists,
		SharedASN: func(n uint32) bool { return n == 13335 || n == 20940 },
	}
	home := WatchConfig{HomeCountries: []string{"FI", "se"}, WatchedCountries: []string{"RU"}}
	for name, c := range map[string]struct {
		conf   WatchConfig
		addr   string
		result Result
		text   string
		key    string
		shared bool
	}{
		"nothing":             {watch, "8.8.8.8", Result{Country: "US", ASN: 15169}, "", "", false},
		"unknown":             {watch, "8.8.8.8", Result{}, "", "", false},
		"country":             {watch, "8.8.8.8", Result{Country: "RU"}, "watched registry country RU", "country:RU", false},
		"country, in lower":   {watch, "8.8.8.8", Result{Country: "BY", ASN: 3}, "watched registry country BY", "country:BY", false},
		"country of a CDN":    {watch, "8.8.8.8", Result{Country: "RU", ASN: 20940}, "watched registry country RU", "country:RU", true},
		"AS before country":   {watch, "8.8.8.8", Result{Country: "RU", ASN: 13238}, "watched AS13238", "as:13238", false},
		"shared AS, watched":  {watch, "8.8.8.8", Result{Country: "US", ASN: 13335}, "watched AS13335", "as:13335", true},
		"shared AS, no range": {watch, "8.8.8.8", Result{Country: "US", ASN: 20940}, "", "", true},
		"list before AS":      {watch, "5.1.2.3", Result{Country: "RU", ASN: 13238}, "listed in wide.txt (5.0.0.0/8)", "list:wide.txt", false},
		"longest prefix":      {watch, "5.5.5.9", Result{}, "listed in narrow.txt (5.5.5.0/24)", "list:narrow.txt", false},
		"first list":          {watch, "5.5.6.1", Result{}, "listed in wide.txt (5.5.0.0/16)", "list:wide.txt", false},
		"IPv6":                {watch, "2a00::1", Result{}, "listed in wide.txt (2a00::/16)", "list:wide.txt", false},
		"mapped":              {watch, "::ffff:5.5.5.9", Result{Via: viaMapped}, "listed in narrow.txt (5.5.5.0/24)", "list:narrow.txt", false},
		"carrier":             {watch, "64:ff9b::505:509", Result{Via: viaNAT64}, "listed in nat.txt (64:ff9b::/96)", "list:nat.txt", false},
		"special":             {watch, "5.5.5.9", Result{Special: "Private-Use", Country: "RU", Shared: true}, "", "", false},
		"home":                {home, "8.8.8.8", Result{Country: "SE"}, "", "", false},
		"not home":            {home, "8.8.8.8", Result{Country: "US"}, "registry country US is not home", "country:US", false},
		"watched, not home":   {home, "8.8.8.8", Result{Country: "RU"}, "watched registry country RU", "country:RU", false},
		"home, unknown":       {home, "8.8.8.8", Result{}, "", "", false},
		"zero value":          {WatchConfig{}, "8.8.8.8", Result{Country: "RU", ASN: 13238}, "", "", false},
	} {
		w, err := NewWatch(c.conf)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		why, ok := w.Foreign(netip.MustParseAddr(c.addr), &c.result)
		if ok != (c.text != "") || why.String() != c.text || why.Key() != c.key || c.result.Shared != c.shared {
			t.Errorf("%s: %v %q, key %q, shared %v, want %q, %q, %v", name, ok, why, why.Key(), c.result.Shared, c.text, c.key, c.shared)
		}
		if ok != (why.Kind != NoReason) {
			t.Errorf("%s: kind %d", name, why.Kind)
		}
	}
}

func TestForeignInvalidAddress(t *testing.T) {
	w, err := NewWatch(WatchConfig{WatchedCountries: []string{"RU"}})
	if err != nil {
		t.Fatal(err)
	}
	if why, ok := w.Foreign(netip.Addr{}, &Result{Country: "RU"}); ok {
		t.Errorf("an invalid address is foreign: %v", why)
	}
}

func TestDefaultCountries(t *testing.T) {
	got := DefaultCountries()
	if s := strings.Join(got, " "); s != "RU BY CN IR KP" {
		t.Errorf("default countries %s", s)
	}
	if _, err := NewWatch(WatchConfig{WatchedCountries: got}); err != nil {
		t.Error(err)
	}
}

func TestWatchConfigValidate(t *testing.T) {
	p := netip.MustParsePrefix
	err := (&WatchConfig{
		HomeCountries:    []string{"UK", "FI", "RU"},
		WatchedCountries: []string{"ru", "Russia"},
		WatchedASNs:      []uint32{13238, 0},
		Lists:            []List{{"", nil}, {"a", []netip.Prefix{p("::/0"), {}}}, {"a", nil}},
	}).Validate()
	if err == nil {
		t.Fatal("no error")
	}
	wants := []string{
		`home countries: unknown country code "UK"`, `watched countries: unknown country code "Russia"`,
		"country RU is both home and watched", "AS 0 cannot be watched", "list 1 has no name",
		"list a: ::/0 is every address", "list a: not a valid network", "two lists are called a",
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not say %q:\n%v", want, err)
		}
	}
	if n := strings.Count(err.Error(), "\n") + 1; n != len(wants) {
		t.Errorf("%d errors, want %d:\n%v", n, len(wants), err)
	}
	if _, err := NewWatch(WatchConfig{WatchedCountries: []string{"UK"}}); err == nil {
		t.Error("NewWatch does not validate")
	}
	if err := (&WatchConfig{Lists: make([]List, maxLists+1)}).Validate(); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("too many lists: error %v", err)
	}
}
