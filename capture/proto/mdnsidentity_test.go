package proto

import (
	"slices"
	"strings"
	"testing"

	"telltale/capture"
)

// mdnsAnnounced is what a device announces, as records of the answer section.
func mdnsAnnounced(t testing.TB) []byte {
	return dnsPack(t, dnsReply(), nil,
		"_services._dns-sd._udp.local. 4500 IN PTR _http._tcp.local.",
		`_http._tcp.local. 4500 IN PTR Camera\0321._http._tcp.local.`,
		`Camera\0321._http._tcp.local. 120 IN SRV 0 0 80 Cam-1.local.`,
		`Camera\0321._http._tcp.local. 4500 IN TXT "md=DS-2CD" "Manufacturer=Acme" "path=/" "serialNumber=7" "model"`,
		"Cam-1.local. 120 IN AAAA fe80::9",
		"Cam-1.local. 120 IN A 192.0.2.9",
		"9.2.0.192.in-addr.arpa. 120 IN PTR Cam-1.local.",
		"gone.local. 0 IN A 192.0.2.7")
}

func mdnsIdentityText(b []byte) string {
	log := new(capture.Log)
	d := mdnsDatagram()
	if d.Parse(b, false, log) != nil {
		return "error"
	}
	var all []string
	for line := range strings.Lines(identityText(log)) {
		if strings.HasPrefix(line, "{") {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return strings.Join(all, "\n")
}

func TestMDNSIdentity(t *testing.T) {
	b := mdnsAnnounced(t)
	const want = `{"ip":"192.0.2.9","services":["Camera 1._http._tcp.local"],"hostname":"Cam-1.local","model":"DS-2CD","manufacturer":"Acme","serial":"7"}`
	if got := mdnsIdentityText(b); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for n := range len(b) {
		mdnsIdentityText(b[:n])
	}
	log, d := new(capture.Log), mdnsDatagram()
	if n := testing.AllocsPerRun(50, func() { log.Reset(); _ = d.Parse(b, false, log) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestMDNSWithoutIdentity(t *testing.T) {
	query := dnsReply()
	query.Response = false
	for name, b := range map[string][]byte{
		"query":          dnsPack(t, query, []string{"_http._tcp.local. PTR"}, "cam.local. 120 IN A 192.0.2.9"),
		"goodbye":        dnsPack(t, dnsReply(), nil, "cam.local. 0 IN A 192.0.2.9"),
		"kinds only":     dnsPack(t, dnsReply(), nil, "_services._dns-sd._udp.local. 4500 IN PTR _http._tcp.local."),
		"address lookup": dnsPack(t, dnsReply(), []string{"9.2.0.192.in-addr.arpa. PTR"}, "9.2.0.192.in-addr.arpa. 120 IN PTR Cam-1.local."),
	} {
		if got := mdnsIdentityText(b); got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func FuzzMDNSIdentity(f *testing.F) {
	d := mdnsDatagram()
	fuzzIdentity(f, identityParser{d.Parse, nil, []identityCase{{in: string(mdnsAnnounced(f))}, {in: string(dnsChain(f))}}})
}

// Every protocol that tells identities can be named in a pack, and no other.
func TestIdentityProtos(t *testing.T) {
	var have []capture.Proto
	for _, d := range Datagrams() {
		if d.Ports != nil || d.Proto == capture.ProtoMDNS {
			have = append(have, d.Proto)
		}
	}
	for _, m := range Messages() {
		have = append(have, m.Proto)
	}
	want := capture.IdentityProtos()
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("registered %v, listed %v", have, want)
	}
}
