package main

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"telltale/feeds/geo"
)

var addrCmp = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

func row(first, last string, value uint32) geo.Row {
	return geo.Row{First: netip.MustParseAddr(first), Last: netip.MustParseAddr(last), Value: value}
}

func TestTidy(t *testing.T) {
	got, cut := tidy([]geo.Row{
		row("2001::", "2001::ffff", 5),
		row("9.0.0.0", "9.255.255.255", 1),
		row("9.128.0.0", "10.0.0.255", 2), // reaches back into the one before
		row("9.1.0.0", "9.1.0.255", 3),    // inside it
		row("10.0.1.0", "10.0.1.255", 2),  // goes on
		row("10.0.3.0", "10.0.3.255", 2),
		row("255.255.255.0", "255.255.255.255", 5),
	})
	want := []geo.Row{
		row("9.0.0.0", "9.255.255.255", 1),
		row("10.0.0.0", "10.0.1.255", 2),
		row("10.0.3.0", "10.0.3.255", 2),
		row("255.255.255.0", "255.255.255.255", 5),
		row("2001::", "2001::ffff", 5),
	}
	if diff := cmp.Diff(want, got, addrCmp); diff != "" || cut != 2 {
		t.Errorf("%d cut, want 2; rows (-want +got):\n%s", cut, diff)
	}
}

func TestLast(t *testing.T) {
	for in, want := range map[string]string{
		"1.2.3.0/24": "1.2.3.255", "1.2.3.4/32": "1.2.3.4", "128.0.0.0/1": "255.255.255.255",
		"2a02:6b8::/29": "2a02:6bf:ffff:ffff:ffff:ffff:ffff:ffff", "2001::4/127": "2001::5",
	} {
		if got := last(netip.MustParsePrefix(in)); got != netip.MustParseAddr(want) {
			t.Errorf("last(%s) = %s, want %s", in, got, want)
		}
	}
}

// writeCountries writes a database whose records are {country_code}.
func writeCountries(t *testing.T, name string, networks map[string]string) {
	t.Helper()
	w, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "country ipvAll", BuildEpoch: 1_780_345_978})
	if err != nil {
		t.Fatal(err)
	}
	for network, code := range networks {
		_, ipnet, err := net.ParseCIDR(network)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Insert(ipnet, mmdbtype.Map{"country_code": mmdbtype.String(code)}); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if _, err := w.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	write(t, name, b.String())
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// args are a command line for files in dir.
func args(dir string) []string {
	return []string{
		"-country", filepath.Join(dir, "c.mmdb"), "-country-release", "countries 7",
		"-asn4", filepath.Join(dir, "4.csv"), "-asn6", filepath.Join(dir, "6.csv"),
		"-asn-release", "systems 8", "-asn-date", "2026-06-17", "-out", dir,
	}
}

// TestRun builds tables from small sources and reads them.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	writeCountries(t, filepath.Join(dir, "c.mmdb"), map[string]string{"77.88.8.0/24": "RU", "77.88.9.0/24": "RU", "2a02:6b8::/32": "RU"})
	write(t, filepath.Join(dir, "4.csv"), "77.88.0.0,77.88.63.255,13238,\"YANDEX, LLC\"\n9.0.0.0,9.0.0.255,0,none\n")
	write(t, filepath.Join(dir, "6.csv"), "2a02:6b8::,2a02:6b8:a:ffff:ffff:ffff:ffff:ffff,13238,YANDEX\n")
	var log bytes.Buffer
	if err := run(args(dir), &log); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string][]geo.Row{
		"country.ranges": {
			row("77.88.8.0", "77.88.9.255", 'R'<<8|'U'),
			row("2a02:6b8::", "2a02:6b8:ffff:ffff:ffff:ffff:ffff:ffff", 'R'<<8|'U'),
		},
		"as.ranges": {
			row("77.88.0.0", "77.88.63.255", 13238),
			row("2a02:6b8::", "2a02:6b8:a:ffff:ffff:ffff:ffff:ffff", 13238),
		},
	} {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		table, err := geo.ReadTable(data)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := table.Rows()
		if err != nil {
			t.Fatal(err)
		}
		var got []geo.Row
		for r := range rows {
			got = append(got, r)
		}
		if diff := cmp.Diff(want, got, addrCmp); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
		other := slices.Clone(want)
		other[1].Value++
		header := table.Header
		header.Built++
		for what, err := range map[string]error{
			"a row missing":  verify(filepath.Join(dir, file), table.Header, want[:1]),
			"a row too many": verify(filepath.Join(dir, file), table.Header, append(slices.Clone(want), other[1])),
			"another value":  verify(filepath.Join(dir, file), table.Header, other),
			"another date":   verify(filepath.Join(dir, file), header, want),
		} {
			if err == nil {
				t.Errorf("%s: verify finds no fault with %s", file, what)
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "SOURCE.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"built 2026-06-01", "built 2026-06-17", "npm countries 7", "npm systems 8"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("SOURCE.txt does not say %q", want)
		}
	}
	if !strings.Contains(log.String(), "1 names") {
		t.Errorf("the log does not tell of the name:\n%s", &log)
	}
}

// TestRunRefuses: what is wrong is named, and no table is made of it.
func TestRunRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		country, csv, want string
	}{
		"country": {"EU", "1.0.0.0,1.0.0.255,9,x", `77.88.8.0/24 has the country "EU"`},
		"columns": {"RU", "1.0.0.0,1.0.0.255,9", "wrong number of fields"},
		"range":   {"RU", "1.0.0.0,1.0.0.255,9,x\n1.0.0.9,1.0.0.1,9,x", "line 2: 1.0.0.9-1.0.0.1 is no range"},
		"number":  {"RU", "1.0.0.0,1.0.0.255,AS9,x", "line 1: strconv.ParseUint"},
		"space":   {"RU", "fe80::,fe80::1,9,x", "is no range of IPv6 addresses in use"},
	} {
		dir := t.TempDir()
		writeCountries(t, filepath.Join(dir, "c.mmdb"), map[string]string{"77.88.8.0/24": c.country})
		write(t, filepath.Join(dir, "4.csv"), c.csv)
		write(t, filepath.Join(dir, "6.csv"), "")
		var log bytes.Buffer
		if err := run(args(dir), &log); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
		if _, err := os.Stat(filepath.Join(dir, "as.ranges")); err == nil {
			t.Errorf("%s: a table was made", name)
		}
	}
}

func TestParseOptionsTellsOfEverything(t *testing.T) {
	_, err := parseOptions([]string{"-asn-date", "yesterday", "-out", "x", "more"})
	for _, want := range []string{"-country is missing", "-asn4 is missing", "-asn6 is missing", "-asn-release is missing", `"yesterday"`, `"more"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

func TestChosenNames(t *testing.T) {
	s := &systems{names: map[uint32]string{}, size: map[uint32]uint64{}}
	for i := range uint32(largest + 10) {
		n := 1_000_000 + i
		s.names[n], s.size[n] = "big", 256
	}
	s.names[200107], s.names[64500] = "Kaspersky Lab", "small"
	got := s.chosenNames()
	if len(got) != largest+1 || got[200107] != "Kaspersky Lab" || got[64500] != "" {
		t.Errorf("%d names, Kaspersky %q, small %q", len(got), got[200107], got[64500])
	}
}
