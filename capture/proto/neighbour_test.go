package proto

import (
	"strings"
	"testing"

	"telltale/capture"
)

const testMAC = "\x28\x57\xbe\x01\x02\x03"

func arpParser() identityParser {
	arp := func(op int, sender, target string) string {
		return be16(1) + be16(0x0800) + "\x06\x04" + be16(op) + testMAC + sender + "\x00\x00\x00\x00\x00\x00" + target
	}
	const a, b, none = "\xc0\x00\x02\x01", "\xc0\x00\x02\x02", "\x00\x00\x00\x00"
	return identityParser{arpParse, nil, []identityCase{
		{"request", arp(1, a, b) + strings.Repeat("\x00", 18), `{"mac":"28:57:be:01:02:03","ip":"192.0.2.1","message":"request"}`},
		{"reply", arp(2, a, b), `{"mac":"28:57:be:01:02:03","ip":"192.0.2.1","message":"reply"}`},
		{"announcement", arp(1, a, a), `{"mac":"28:57:be:01:02:03","ip":"192.0.2.1","message":"announcement"}`},
		{"probe", arp(1, none, b), `{"mac":"28:57:be:01:02:03","message":"probe","requested":"192.0.2.2"}`},
		{"InARP", arp(8, a, b), ""},
		{"operation zero", arp(0, a, b), "error"},
		{"operation unknown", arp(99, a, b), "error"},
		{"of another network", strings.Replace(arp(1, a, b), "\x00\x01", "\x00\x0f", 1), ""},
		{"of another protocol", strings.Replace(arp(1, a, b), "\x08\x00", "\x08\x01", 1), ""},
		{"cut", arp(1, a, b)[:27], "error"},
	}}
}

func TestARP(t *testing.T) {
	p := arpParser()
	checkIdentity(t, &p)
	log := new(capture.Log)
	if err := arpParse([]byte(p.cases[0].in), false, log); err != nil {
		t.Fatal(err)
	}
	if o := log.At(0); o.Client.String() != "192.0.2.1:0" || o.Server.String() != "192.0.2.2:0" {
		t.Errorf("client %v, server %v", o.Client, o.Server)
	}
	group := "\x01" + p.cases[0].in[9:14]
	if got := identityRun(&p, []byte(p.cases[0].in[:8]+group+p.cases[0].in[14:]), false); got != `{"ip":"192.0.2.1","message":"request"}` {
		t.Errorf("a group as sender: %s", got)
	}
}

func FuzzARP(f *testing.F) { fuzzIdentity(f, arpParser()) }

func ndpParser() identityParser {
	address := "\xfe\x80" + strings.Repeat("\x00", 13) + "\x09"
	source, target := "\x01\x01"+testMAC, "\x02\x01"+testMAC
	head := func(kind byte, flags string) string { return string([]byte{kind, 0, 0, 0}) + flags }
	return identityParser{ndpParse, nil, []identityCase{
		{"router solicitation", head(133, "\x00\x00\x00\x00") + source, `{"mac":"28:57:be:01:02:03","message":"router_solicitation"}`},
		{"router advertisement", head(134, "\x40\x00\x07\x08") + strings.Repeat("\x00", 8) + "\x05\x01\x00\x00\x00\x00\x05\xdc" + source, `{"mac":"28:57:be:01:02:03","router":true,"message":"router_advertisement"}`},
		{"solicitation", head(135, "\x00\x00\x00\x00") + address + source, `{"mac":"28:57:be:01:02:03","message":"neighbor_solicitation"}`},
		{"duplicate address detection", head(135, "\x00\x00\x00\x00") + address, `{"message":"neighbor_solicitation","requested":"fe80::9"}`},
		{"advertisement", head(136, "\x60\x00\x00\x00") + address + target, `{"mac":"28:57:be:01:02:03","ip":"fe80::9","message":"neighbor_advertisement"}`},
		{"advertisement of a router", head(136, "\xe0\x00\x00\x00") + address + target, `{"mac":"28:57:be:01:02:03","ip":"fe80::9","router":true,"message":"neighbor_advertisement"}`},
		{"advertisement without address", head(136, "\x60\x00\x00\x00") + address, `{"ip":"fe80::9","message":"neighbor_advertisement"}`},
		{"an option of no length", head(136, "\x60\x00\x00\x00") + address + "\x02\x00" + testMAC, `{"ip":"fe80::9","message":"neighbor_advertisement"}`},
		{"an option beyond the end", head(136, "\x60\x00\x00\x00") + address + "\x02\x09" + testMAC, `{"ip":"fe80::9","message":"neighbor_advertisement"}`},
		{"redirect", head(137, "\x00\x00\x00\x00") + address + address, ""},
		{"cut in the target", head(136, "\x60\x00\x00\x00") + address[:15], "error"},
		{"another type", head(128, "\x00\x00\x00\x00"), "error"},
	}}
}

func TestNDP(t *testing.T) {
	p := ndpParser()
	checkIdentity(t, &p)
}

func FuzzNDP(f *testing.F) { fuzzIdentity(f, ndpParser()) }

// tlv is a field of LLDP.
func tlv(kind int, value string) string { return be16(kind<<9|len(value)) + value }

func lldpParser() identityParser {
	whole := tlv(1, "\x04"+testMAC) + tlv(2, "\x05Gi0/2") + tlv(3, "\x00\x78")
	said := `{"mac":"28:57:be:01:02:03",`
	return identityParser{lldpParse, nil, []identityCase{
		{"smallest", whole + "\x00\x00", said + `"chassis":"28:57:be:01:02:03","port":"Gi0/2"}`},
		{
			"switch", whole + tlv(5, "sw-1.test") + tlv(6, "S5720\r\nHuawei Versatile Routing Platform") + tlv(7, "\x00\x14\x00\x14") + tlv(8, "\x05\x01\xc0\x00\x02\x01\x02\x00\x00\x00\x01\x00") + "\x00\x00",
			said + `"ip":"192.0.2.1","router":true,"chassis":"28:57:be:01:02:03","port":"Gi0/2","hostname":"sw-1.test","description":"S5720\\013\\010Huawei Versatile Routing Platform","capabilities":"bridge,router"}`,
		},
		{
			"telephone", whole + tlv(7, "\x00\x24\x00\x20") + tlv(127, "\x00\x12\xbb\x05v1") + tlv(127, "\x00\x12\xbb\x06v2") + tlv(127, "\x00\x12\xbb\x07v3") + tlv(127, "\x00\x12\xbb\x08s1") + tlv(127, "\x00\x12\xbb\x09Acme") + tlv(127, "\x00\x12\xbb\x0aA-1") + tlv(127, "\x00\x80\xc2\x01\x00\x01"),
			said + `"chassis":"28:57:be:01:02:03","port":"Gi0/2","capabilities":"telephone","hardware":"v1","firmware":"v2","software":"v3","serial":"s1","manufacturer":"Acme","model":"A-1"}`,
		},
		{"chassis by name", tlv(1, "\x07sw") + tlv(2, "\x03"+testMAC) + tlv(3, "\x00\x78"), `{"chassis":"sw","port":"28:57:be:01:02:03"}`},
		{"chassis by address", tlv(1, "\x05\x01\xc0\x00\x02\x01"), `{"chassis":"192.0.2.1"}`},
		{"cut in a field", whole + tlv(5, "sw-1.test")[:5], said + `"chassis":"28:57:be:01:02:03","port":"Gi0/2"}`},
		{"management by IPv6", whole + tlv(8, "\x11\x02\xfe\x80"+strings.Repeat("\x00", 13)+"\x09\x02\x00\x00\x00\x01\x00"), said + `"ip":"fe80::9","chassis":"28:57:be:01:02:03","port":"Gi0/2"}`},
		{"no chassis", tlv(2, "\x05Gi0/2"), "error"},
		{"nothing", "\x00\x00", "error"},
	}}
}

func TestLLDP(t *testing.T) {
	p := lldpParser()
	checkIdentity(t, &p)
}

func FuzzLLDP(f *testing.F) { fuzzIdentity(f, lldpParser()) }

func cdpParser() identityParser {
	field := func(kind int, v string) string { return be16(kind) + be16(4+len(v)) + v }
	head := "\x02\xb4\x00\x00"
	address := "\x00\x00\x00\x01\x01\x01\xcc\x00\x04\xc0\x00\x02\x01"
	return identityParser{cdpParse, nil, []identityCase{
		{
			"switch", head + field(1, "sw-1") + field(2, address) + field(3, "Gi0/1") + field(4, "\x00\x00\x00\x29") + field(5, "Cisco IOS, 15.2") + field(6, "cisco WS-C2960") + field(9, "vtp"),
			`{"ip":"192.0.2.1","router":true,"hostname":"sw-1","port":"Gi0/1","capabilities":"router,switch,igmp","software":"Cisco IOS, 15.2","model":"cisco WS-C2960","domain":"vtp"}`,
		},
		{"management address only", head + field(1, "a") + field(0x16, address), `{"ip":"192.0.2.1","hostname":"a"}`},
		{"a field too short", head + field(1, "a") + be16(3) + be16(3), `{"hostname":"a"}`},
		{"an address list cut", head + field(1, "a") + field(2, address[:9]), `{"hostname":"a"}`},
		{"nothing known", head + field(0x20, "a"), "error"},
		{"another version", "\x09\xb4\x00\x00" + field(1, "a"), "error"},
		{"cut in the header", head[:3], "error"},
	}}
}

func TestCDP(t *testing.T) {
	p := cdpParser()
	checkIdentity(t, &p)
}

func FuzzCDP(f *testing.F) { fuzzIdentity(f, cdpParser()) }
