package feeds

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"telltale/capture"
)

// layered is a pack whose indicators overlap.
const layered = `id: lay
name: Lay
version: 2026-01-01
country: US
indicators:
  - {kind: suffix, value: lay.com, function: web, implies: visited, confidence: high, sources: [d], seen: 2026-01-01}
  - {kind: suffix, value: upd.lay.com, function: update, implies: installed, confidence: high, sources: [d], seen: 2026-01-01}
  - {kind: exact, value: cdn.upd.lay.com, function: cdn, implies: likely, confidence: high, sources: [d], seen: 2026-01-01}
  - {kind: regex, value: '^log[0-9]+\.a\.lay\.com$', function: telemetry, implies: installed, confidence: high, sources: [d], seen: 2026-01-01}
  - {kind: suffix, value: a.lay.com, function: web, implies: visited, confidence: high, sources: [d], seen: 2026-01-01}
  - {kind: cidr, values: [198.51.0.0/16, '2001:db8::/32'], function: network, implies: located, confidence: high, sources: [d], seen: 2026-01-01}
  - {kind: cidr, value: 198.51.100.0/24, function: network, implies: located, confidence: low, sources: [d], seen: 2026-01-01}
  - {kind: asn, value: '64500', function: network, implies: located, confidence: high, sources: [d], seen: 2026-01-01}
  - {kind: oui, values: ['28:57:be', '40:2c:76:10:00:00/28', '70:b3:d5:12:30:00/36'], function: hardware, implies: device, confidence: high, sources: [d], seen: 2026-01-01}
  - {kind: certificate, values: ['organization=^Lay Inc$', 'common_name=^Lay Relay'], function: web, implies: visited, confidence: high, sources: [d], seen: 2026-01-01}
  - {kind: identity, values: ['ssdp/server=^.*\bLay/', 'any/model=(?i)^lay-', 'dhcp/vendor_class=^LayPhone$'], function: hardware, implies: device, confidence: high, sources: [d], seen: 2026-01-01}
  - {kind: http_path, value: '^/upd/.*\.bin$', function: update, implies: installed, confidence: high, sources: [d], seen: 2026-01-01}
  - {kind: http_path, value: '\.laydb$', function: update, implies: installed, confidence: high, sources: [d], seen: 2026-01-01}
  - {kind: user_agent, value: '^LayUpdate/', function: update, implies: installed, confidence: high, sources: [d], seen: 2026-01-01}
  - {kind: port, values: [tcp/13000, udp/14000-14010], function: management, implies: likely, confidence: high, listener: server, sources: [d], seen: 2026-01-01}
  - {kind: body_magic, value: 'hex:00ff4c41', function: update, implies: installed, confidence: high, sources: [d], seen: 2026-01-01}
  - {kind: body_text, value: 'lay-manifest', function: update, implies: installed, confidence: high, sources: [d], seen: 2026-01-01, products: {LP: Lay Pro, LS: Lay Server}}
sinkholes:
  - {values: [203.0.113.9, sink.lay-trap.org], confidence: high, sources: [d], seen: 2026-01-01}
sources:
  d: {kind: doc, ref: x, license: facts}
`

// tenant is another vendor within the ranges and below the names of the first.
const tenant = `id: ten
name: Ten
version: 2026-01-01
country: US
indicators:
  - {kind: suffix, value: ten.lay.com, function: update, implies: installed, confidence: high, sources: [d], seen: 2026-01-01}
  - {kind: cidr, value: 198.51.100.128/25, function: network, implies: located, confidence: high, sources: [d], seen: 2026-01-01}
sources:
  d: {kind: doc, ref: x, license: facts}
`

func layeredSet(t testing.TB) *Set {
	return compiled(t, parsed(t, map[string]string{
		"lay.yaml": layered, "ten.yaml": tenant,
		"cnames.yaml": "zones:\n  - {zone: edge.example.net}\n  - {zone: dash.example.net, dashed: true}\n",
	}), Options{})
}

func TestMostSpecificNameWins(t *testing.T) {
	s := layeredSet(t)
	for name, want := range map[string][]string{
		"lay.com":                {"lay:suffix:lay.com"},
		"x.upd.lay.com":          {"lay:suffix:upd.lay.com"},
		"cdn.upd.lay.com":        {"lay:exact:cdn.upd.lay.com"},
		"x.cdn.upd.lay.com":      {"lay:suffix:upd.lay.com"}, // exact does not reach below
		"log7.a.lay.com":         {`lay:regex:^log[0-9]+\.a\.lay\.com$`},
		"logx.a.lay.com":         {"lay:suffix:a.lay.com"},
		"log7.a.lay.com.example": {},
		"xlay.com":               {},
		"a.ten.lay.com":          {"lay:suffix:lay.com", "ten:suffix:ten.lay.com"},
		"sink.lay-trap.org":      {"lay:sinkhole:sink.lay-trap.org"},
	} {
		if d := cmp.Diff(want, ids(s.Name([]byte(name), nil))); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
	}
}

func TestAddr(t *testing.T) {
	s := layeredSet(t)
	for addr, want := range map[string][]string{
		"198.51.1.1":          {"lay:cidr:198.51.0.0/16"},
		"198.51.100.1":        {"lay:cidr:198.51.100.0/24"}, // the longest of a vendor
		"198.51.100.200":      {"ten:cidr:198.51.100.128/25", "lay:cidr:198.51.100.0/24"},
		"::ffff:198.51.1.1":   {"lay:cidr:198.51.0.0/16"},
		"2001:db8::1%eth0":    {"lay:cidr:2001:db8::/32"},
		"203.0.113.9":         {"lay:sinkhole:203.0.113.9"},
		"203.0.113.10":        {},
		"::ffff:203.0.113.10": {},
	} {
		if d := cmp.Diff(want, ids(s.Addr(netip.MustParseAddr(addr), nil))); d != "" {
			t.Errorf("%s: -want +got\n%s", addr, d)
		}
	}
	if m := s.Addr(netip.MustParseAddr("203.0.113.9"), nil); !m[0].Sinkhole {
		t.Error("the sinkhole is not marked")
	}
	if got := s.Addr(netip.Addr{}, nil); len(got) != 0 {
		t.Errorf("the zero address matches %v", ids(got))
	}
}

func identity(s *Set, p capture.Proto, k capture.FieldKey, v string) []Match {
	return s.Identity(p, &capture.IdentityField{Key: k, Value: []byte(v)}, nil)
}

func TestOtherLookups(t *testing.T) {
	s := layeredSet(t)
	tests := []struct {
		name string
		got  []Match
		want string
	}{
		{"asn", s.ASN(64500, nil), "lay:asn:64500"},
		{"other asn", s.ASN(64501, nil), ""},
		{"mac", s.MAC([6]byte{0x28, 0x57, 0xbe, 1, 2, 3}, nil), "lay:oui:28:57:be"},
		{"other mac", s.MAC([6]byte{0x28, 0x57, 0xbf}, nil), ""},
		{"mac in a smaller block", s.MAC([6]byte{0x40, 0x2c, 0x76, 0x1f, 2, 3}, nil), "lay:oui:40:2c:76:10:00:00/28"},
		{"mac beside a smaller block", s.MAC([6]byte{0x40, 0x2c, 0x76, 0x2f, 2, 3}, nil), ""},
		{"mac in the smallest block", s.MAC([6]byte{0x70, 0xb3, 0xd5, 0x12, 0x3f, 3}, nil), "lay:oui:70:b3:d5:12:30:00/36"},
		{"mac beside the smallest block", s.MAC([6]byte{0x70, 0xb3, 0xd5, 0x12, 0x4f, 3}, nil), ""},
		{"mac made up by its host", s.MAC([6]byte{0x2a, 0x57, 0xbe, 1, 2, 3}, nil), ""},
		{"identity", identity(s, capture.ProtoSSDP, capture.FieldServer, "Linux UPnP/1.0 Lay/2"), `lay:identity:ssdp/server=^.*\bLay/`},
		{"organisation of a certificate", s.Certificate(CertOrganization, []byte("Lay Inc"), nil), "lay:certificate:organization=^Lay Inc$"},
		{"organisation longer", s.Certificate(CertOrganization, []byte("Lay Inc."), nil), ""},
		{"common name of a certificate", s.Certificate(CertCommonName, []byte("Lay Relay 7"), nil), "lay:certificate:common_name=^Lay Relay"},
		{"common name as organisation", s.Certificate(CertOrganization, []byte("Lay Relay 7"), nil), ""},
		{"no organisation", s.Certificate(CertOrganization, nil, nil), ""},
		{"identity of another protocol", identity(s, capture.ProtoWSD, capture.FieldServer, "Lay/2"), ""},
		{"identity of another field", identity(s, capture.ProtoSSDP, capture.FieldUSN, "Lay/2"), ""},
		{"identity of any protocol", identity(s, capture.ProtoLLDP, capture.FieldModel, "LAY-7"), "lay:identity:any/model=(?i)^lay-"},
		{"identity not at the start", identity(s, capture.ProtoLLDP, capture.FieldModel, "xLAY-7"), ""},
		{"identity, whole value", identity(s, capture.ProtoDHCP, capture.FieldVendorClass, "LayPhone 2"), ""},
		{"path", s.Path([]byte("/upd/a/b.bin"), nil), `lay:http_path:^/upd/.*\.bin$`},
		{"path with query", s.Path([]byte("/upd/b.bin?x=.y"), nil), `lay:http_path:^/upd/.*\.bin$`},
		{"path to a proxy", s.Path([]byte("http://192.0.2.1:80/upd/b.bin"), nil), `lay:http_path:^/upd/.*\.bin$`},
		{"path by its end", s.Path([]byte("/any/base.laydb"), nil), `lay:http_path:\.laydb$`},
		{"query is no path", s.Path([]byte("/x?/upd/b.bin"), nil), ""},
		{"authority form", s.Path([]byte("upd.example:443"), nil), ""},
		{"absolute form without path", s.Path([]byte("http://x.laydb"), nil), ""},
		{"no path", s.Path(nil, nil), ""},
		{"agent", s.UserAgent([]byte("LayUpdate/7"), nil), "lay:user_agent:^LayUpdate/"},
		{"agent in the middle", s.UserAgent([]byte("x LayUpdate/7"), nil), ""},
		{"tcp port", s.Port(6, 13000, nil), "lay:port:tcp/13000"},
		{"same port over udp", s.Port(17, 13000, nil), ""},
		{"first of a range", s.Port(17, 14000, nil), "lay:port:udp/14000-14010"},
		{"last of a range", s.Port(17, 14010, nil), "lay:port:udp/14000-14010"},
		{"after a range", s.Port(17, 14011, nil), ""},
		{"other transport", s.Port(132, 13000, nil), ""},
		{"magic", s.Body([]byte("\x00\xffLAx"), nil), "lay:body_magic:hex:00ff4c41"},
		{"magic not at the start", s.Body([]byte("x\x00\xffLAx"), nil), ""},
		{"cut magic", s.Body([]byte("\x00\xffL"), nil), ""},
		{"text", s.Body([]byte("<lay-manifest>"), nil), "lay:body_text:lay-manifest"},
		{"text beyond the head", s.Body([]byte(strings.Repeat(" ", maxBody)+"lay-manifest"), nil), ""},
		{"dotted content network", s.CNAME([]byte("x.upd.lay.com.edge.example.net"), nil), "lay:suffix:upd.lay.com"},
		{"dashed content network", s.CNAME([]byte("x-upd-lay-com.dash.example.net"), nil), "lay:suffix:upd.lay.com"},
		{"dashes under a dotted one", s.CNAME([]byte("x-upd-lay-com.edge.example.net"), nil), ""},
		{"part of a word", s.CNAME([]byte("xlay-com.dash.example.net"), nil), ""},
		{"no content network", s.CNAME([]byte("upd.lay.com.example.org"), nil), ""},
		{"the zone itself", s.CNAME([]byte("edge.example.net"), nil), ""},
	}
	for _, tt := range tests {
		if got := strings.Join(ids(tt.got), " "); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestBodyNamesProductFamilies(t *testing.T) {
	s := layeredSet(t)
	for body, want := range map[string][]string{
		"lay-manifest LP|LS":  {"Lay Pro", "Lay Server"},
		"lay-manifest LS":     {"Lay Server"},
		"lay-manifest LPX LS": {"Lay Server"}, // a token is a whole word
		"lay-manifest XLP LP": {"Lay Pro"},
		"lay-manifest":        nil,
	} {
		m := s.Body([]byte(body), nil)
		if len(m) != 1 {
			t.Fatalf("%q: %d matches, want 1", body, len(m))
		}
		if d := cmp.Diff(want, m[0].Products()); d != "" {
			t.Errorf("%q: -want +got\n%s", body, d)
		}
	}
}

func TestLookupsAppend(t *testing.T) {
	s := layeredSet(t)
	dst := s.Name([]byte("lay.com"), nil)
	dst = s.Name([]byte("upd.lay.com"), dst)
	dst = s.ASN(64500, dst)
	if got := len(dst); got != 3 {
		t.Errorf("%d matches after three look-ups of one each", got)
	}
}

func TestOptionsChoose(t *testing.T) {
	lib := shippedLibrary(t)
	tests := []struct {
		opts    Options
		vendors string
		binding string // policies of kaspersky
	}{
		{Options{Vendors: []string{"yandex"}}, "yandex", ""},
		{Options{Policies: []string{"us-bod-17-01"}}, "kaspersky", "us-bod-17-01"},
		{Options{Policies: []string{"us-bod-17-01"}, Vendors: []string{"yandex"}}, "kaspersky yandex", "us-bod-17-01"},
		{Options{Policies: []string{"ua-133-2017", "us-bod-17-01", "us-bod-17-01"}}, "drweb kaspersky onec vk yandex", "ua-133-2017 us-bod-17-01"},
	}
	for _, tt := range tests {
		s := compiled(t, lib, tt.opts)
		var vendors, binding []string
		for _, v := range s.Vendors() {
			vendors = append(vendors, v.ID)
		}
		for _, p := range s.Policies("kaspersky") {
			binding = append(binding, p.ID)
		}
		if strings.Join(vendors, " ") != tt.vendors || tt.binding != "" && strings.Join(binding, " ") != tt.binding {
			t.Errorf("%+v: vendors %v under %v, want %s under %s", tt.opts, vendors, binding, tt.vendors, tt.binding)
		}
	}
	if s := compiled(t, lib, Options{}); len(s.Vendors()) != len(lib.Packs) || s.Vendor("huawei") == nil || s.Vendor("none") != nil {
		t.Error("without options not all packs are in the set")
	}
	for _, o := range []Options{{Vendors: []string{"nobody"}}, {Policies: []string{"nothing"}}, {Own: []string{"a..b"}}} {
		if _, err := Compile(lib, o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}

func TestCompileRefusesMalformedEntries(t *testing.T) {
	text := strings.Replace(demo, "value: demobrand.com", "value: Demobrand.com", 1)
	text = strings.Replace(text, "upd.demobrand.net", "upd.demobrand.com", 1)
	_, err := Compile(parsed(t, map[string]string{"demo.yaml": text}), Options{})
	if err == nil || !strings.Contains(err.Error(), "demo.yaml:7") || !strings.Contains(err.Error(), "demo.yaml:14") {
		t.Errorf("got %v, want errors at lines 7 and 14", err)
	}
}

func TestSharedTables(t *testing.T) {
	s := shippedSet(t)
	addr := netip.MustParseAddr
	if n, ok := s.PublicResolver(addr("8.8.8.8")); !ok || n != "Google" {
		t.Errorf("8.8.8.8 is %q, %v", n, ok)
	}
	if n, ok := s.PublicResolver(addr("45.90.28.7")); !ok || n != "NextDNS" {
		t.Errorf("45.90.28.7 is %q, %v", n, ok)
	}
	if _, ok := s.PublicResolver(addr("192.0.2.1")); ok {
		t.Error("192.0.2.1 is a public resolver")
	}
	for n, want := range map[string]bool{"dns.google": true, "a1b2.dns.nextdns.io": true, "mozilla.cloudflare-dns.com": true, "nextdns.io": false, "www.google.com": false} {
		if s.EncryptedDNS([]byte(n)) != want {
			t.Errorf("encrypted DNS at %s: %v, want %v", n, !want, want)
		}
	}
	if k, ok := s.BlockedAnswer(addr("146.112.61.104")); !ok || k != "umbrella_block_page" {
		t.Errorf("146.112.61.104 is %q, %v", k, ok)
	}
	if k, ok := s.BlockedAnswer(addr("::")); !ok || k != "null_answer" {
		t.Errorf(":: is %q, %v", k, ok)
	}
	if _, ok := s.BlockedAnswer(addr("8.8.8.8")); ok {
		t.Error("8.8.8.8 is a blocked answer")
	}
	if _, ok := s.BlockedName([]byte("hit-block.opendns.com")); !ok {
		t.Error("hit-block.opendns.com is not a blocked answer")
	}
	if !s.BlockedEDE(15) || s.BlockedEDE(3) || s.BlockedEDE(60000) {
		t.Error("extended DNS errors are not told apart")
	}
	if n, ok := s.SharedASN(13335); !ok || n != "Cloudflare" {
		t.Errorf("AS13335 is %q, %v", n, ok)
	}
	if _, ok := s.SharedASN(200107); ok {
		t.Error("AS200107 serves many owners")
	}
	if p, ok := s.ECHFront([]byte("cloudflare-ech.com")); !ok || p != "Cloudflare" {
		t.Errorf("cloudflare-ech.com is %q, %v", p, ok)
	}
	if _, ok := s.ECHFront([]byte("www.cloudflare-ech.com")); ok {
		t.Error("a name below a front is a front")
	}
	if c, o, ok := s.CNAMEZone([]byte("lenovo.com.edgekey.net")); !ok || string(c) != "lenovo.com" || o != "Akamai" {
		t.Errorf("customer %q of %q, %v", c, o, ok)
	}
}

func TestResolverWalk(t *testing.T) {
	s := shippedSet(t)
	if len(s.Walks()) != 1 {
		t.Fatalf("%d walks, want 1", len(s.Walks()))
	}
	w := s.Walks()[0]
	if w.Vendor.ID != "kaspersky" || w.Indicator.Implies != Installed || w.Min != 3 {
		t.Errorf("walk %+v", w)
	}
	if !w.Covers([]byte("downloads.upd.kaspersky.com")) || w.Covers([]byte("xdownloads.upd.kaspersky.com")) || w.Covers([]byte("kaspersky.com")) {
		t.Error("the walk covers other names than its own")
	}
	for i, a := range []string{"8.8.8.8", "1.1.1.1", "::ffff:223.6.6.6", "9.9.9.9", "185.228.168.168"} {
		if got := w.Place(netip.MustParseAddr(a)); got != i {
			t.Errorf("%s has place %d, want %d", a, got, i)
		}
	}
	if w.Place(netip.MustParseAddr("192.0.2.1")) != -1 {
		t.Error("an address that is no resolver has a place")
	}
}

func TestExplain(t *testing.T) {
	s := shippedSet(t)
	e := s.Explain("Downloads.UPD.Kaspersky.com.")
	if e.Name != "downloads.upd.kaspersky.com" || len(e.Matches) != 1 || len(e.Covered) != 2 || len(e.Facts) != 1 {
		t.Errorf("explanation %+v", e)
	}
	if e := s.Explain("яндекс.рф"); len(e.Matches) != 1 || e.Matches[0].Vendor.ID != "yandex" {
		t.Errorf("an internationalised name gives %+v", e)
	}
	if e := s.Explain("www.kaspersky.com.example.org"); len(e.Traps) != 1 || len(e.Matches) != 1 || !e.Matches[0].Lookalike {
		t.Errorf("a trap gives %+v", e)
	}
	if e := s.Explain("8.8.8.8"); len(e.Facts) != 2 {
		t.Errorf("a resolver gives %+v", e)
	}
	if e := s.Explain("a..b"); e.Err == nil {
		t.Error("no error for what is no name")
	}
	if e := s.Explain("kaspersky.com.edgekey.net"); len(e.Facts) != 2 || len(e.Matches) != 0 {
		t.Errorf("a content network gives %+v", e)
	}
}

func TestLookupsDoNotAllocate(t *testing.T) {
	if testing.Short() {
		t.Skip("under the race detector pools forget what they hold")
	}
	s := shippedSet(t)
	dst := make([]Match, 0, 16)
	server := &capture.IdentityField{Key: capture.FieldServer, Value: []byte("Linux UPnP/1.0")}
	ua := []byte("*B0cBAAQAjyajPZi3NqrqOlLbWHEBn0dO1ZHOsQUs2xEOPsB8LFbPAkWACAAAA8AA")
	body := []byte("KLD2 Item=\"Updater;Version;App;Arch;SrvPath;Name;DSKM\" KAV\\\\|KIS\\\\|")
	organisation := []byte("Yandex LLC")
	// The inputs are made here so that they do not count.
	in := [][]byte{
		[]byte("www.example.com"),
		[]byte("downloads.upd.kaspersky.com"),
		[]byte("ksn-crypto-x-geo.kaspersky-labs.com"),
		[]byte("kaspersky-update.com"),
		[]byte("xn--kspersky-2fg.com"),
		[]byte("/updaters/updater.xml.dif"),
		[]byte("x-tiktokcdn-com.akamaized.net"),
		[]byte("dns.google"),
	}
	for name, f := range map[string]func(){
		"name, none":         func() { s.Name(in[0], dst) },
		"name, exact":        func() { s.Name(in[1], dst) },
		"name, regex":        func() { s.Name(in[2], dst) },
		"name, look-alike":   func() { s.Name(in[3], dst) },
		"name, other script": func() { s.Name(in[4], dst) },
		"address":            func() { s.Addr(netip.AddrFrom4([4]byte{77, 74, 176, 1}), dst) },
		"as":                 func() { s.ASN(200107, dst) },
		"identity":           func() { s.Identity(capture.ProtoSSDP, server, dst) },
		"certificate":        func() { s.Certificate(CertOrganization, organisation, dst) },
		"mac":                func() { s.MAC([6]byte{0x28, 0x57, 0xbe}, dst) },
		"path":               func() { s.Path(in[5], dst) },
		"agent":              func() { s.UserAgent(ua, dst) },
		"body":               func() { s.Body(body, dst) },
		"port":               func() { s.Port(6, 13000, dst) },
		"cname":              func() { s.CNAME(in[6], dst) },
		"encrypted dns":      func() { s.EncryptedDNS(in[7]) },
		"resolver":           func() { s.PublicResolver(netip.AddrFrom4([4]byte{8, 8, 8, 8})) },
	} {
		if n := testing.AllocsPerRun(200, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkName(b *testing.B) {
	s := shippedSet(b)
	names := [][]byte{[]byte("www.example.com"), []byte("safebrowsing.googleapis.com"), []byte("e6858.dscx.akamaiedge.net"), []byte("r3---sn-4g5e6nzz.googlevideo.com")}
	for _, bb := range []struct {
		name  string
		names [][]byte
	}{
		{"none", names},
		{"suffix", [][]byte{[]byte("s13.upd.kaspersky.com")}},
		{"regex", [][]byte{[]byte("ksn-crypto-x-geo.kaspersky-labs.com")}},
		{"lookalike", [][]byte{[]byte("kaspersky-update.com")}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			dst := make([]Match, 0, 8)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s.Name(bb.names[i%len(bb.names)], dst)
			}
		})
	}
}

func BenchmarkAddr(b *testing.B) {
	s := shippedSet(b)
	dst := make([]Match, 0, 8)
	a := netip.AddrFrom4([4]byte{93, 184, 216, 34})
	b.ReportAllocs()
	for b.Loop() {
		s.Addr(a, dst)
	}
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(nil); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzName(f *testing.F) {
	s := shippedSet(f)
	for _, n := range []string{"s13.upd.kaspersky.com", "xn--kspersky-2fg.com", `a\.b\\.mi.com`, "a-b-.-.c", "."} {
		f.Add([]byte(n))
	}
	f.Fuzz(func(t *testing.T, name []byte) {
		for _, m := range s.Name(name, nil) {
			if m.Indicator == nil || m.Vendor == nil {
				t.Fatal("a match without indicator or vendor")
			}
			if m.Kind == KindSuffix && !under(name, m.Indicator.Value) {
				t.Fatalf("%q matched %s", name, m.Indicator.ID)
			}
		}
		s.CNAME(name, nil)
		s.Path(name, nil)
		s.UserAgent(name, nil)
		s.Body(name, nil)
	})
}

func FuzzPack(f *testing.F) {
	for _, name := range []string{"kaspersky", "yandex", "microsoft", "policies", "resolvers", "hosting"} {
		b, err := os.ReadFile("packs/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(demo))
	f.Add([]byte(layered))
	f.Add([]byte("id: &a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		lib := &Library{}
		for _, name := range []string{"policies.yaml", "resolvers.yaml", "demo.yaml"} {
			if err := lib.add(name, name, data); err != nil && err.Error() == "" {
				t.Error("an error that says nothing")
			}
		}
		Lint(lib)
		s, err := Compile(lib, Options{})
		if err != nil {
			return
		}
		s.Name([]byte("www.demobrand.com"), nil)
		s.Explain("www.demobrand.com")
	})
}
