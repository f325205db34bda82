package detect

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"telltale/capture"
	"telltale/feeds"
)

// certificate makes a TLS 1.2 connection whose hello names nothing, or something, and
// whose server shows a certificate with these names. One that begins with "o=" is the
// organisation of its subject, one that begins with "cn=" the common name.
func (b *bench) certificate(client, server, sni string, names ...string) {
	hello := b.observation(capture.ProtoTLS, capture.Request, client, server)
	hello.Flow, hello.TLS = b.packet, &capture.ClientHello{HasSNI: sni != ""}
	hello.Name = []byte(sni)
	b.Observe(hello)
	open := b.observation(capture.ProtoFlow, capture.FlowOpen, client, server)
	open.Flow, open.End = hello.Flow, &capture.FlowState{Outcome: capture.Exchanged, Unnamed: capture.NoSNI}
	b.Observe(open)
	o := b.observation(capture.ProtoX509, capture.Response, client, server)
	o.Flow, o.Cert = hello.Flow, &capture.Certificate{Asked: sni != ""}
	for _, n := range names {
		if org, ok := strings.CutPrefix(n, "o="); ok {
			o.Cert.Org = []byte(org)
		} else if common, ok := strings.CutPrefix(n, "cn="); ok {
			o.Cert.Subject = []byte(common)
		} else {
			o.Cert.Names = append(o.Cert.Names, []byte(n))
		}
	}
	if len(o.Cert.Names) > 0 {
		o.Name = o.Cert.Names[0]
	}
	b.Observe(o)
	end := b.observation(capture.ProtoFlow, capture.FlowEnd, client, server)
	end.Flow, end.End = hello.Flow, &capture.FlowState{BytesOut: 1, BytesIn: 2, Outcome: capture.Exchanged, Unnamed: capture.NoSNI}
	b.Observe(end)
}

func TestCertificateNames(t *testing.T) {
	for name, c := range map[string]struct {
		sni   string
		names []string
		class feeds.Class // None: no finding
		fact  string
	}{
		"product only":        {"", []string{"ksn.kaspersky-labs.com"}, feeds.Likely, "connection to a server whose certificate names ksn.kaspersky-labs.com"},
		"product and website": {"", []string{"ksn.kaspersky-labs.com", "www.kaspersky.com"}, feeds.Visited, "names www.kaspersky.com"},
		"wildcard of a zone":  {"", []string{"*.kaspersky.com", "kaspersky.com"}, feeds.Visited, "names *.kaspersky.com"},
		"wildcard of product": {"", []string{"*.ksn.kaspersky-labs.com"}, feeds.Likely, "no hello that names a server was seen"},
		"with others' names":  {"", []string{"ksn.kaspersky-labs.com", "shop.example"}, feeds.None, ""},
		"of others":           {"", []string{"shop.example"}, feeds.None, ""},
		"issued to a vendor":  {"", []string{"a.example", "o=V Kontakte LLC"}, feeds.Visited, "connection to a server whose certificate was issued to V Kontakte LLC"},
		"made by a program":   {"", []string{"cn=AnyDesk Client"}, feeds.Likely, "issued to AnyDesk Client"},
		"issued and named":    {"", []string{"vk.com", "o=V Kontakte LLC"}, feeds.Visited, "names vk.com"},
		"issued, hello names": {"shop.example", []string{"o=V Kontakte LLC"}, feeds.None, ""},
		"issued to others":    {"", []string{"o=V Kontakte LLC\x1b"}, feeds.None, ""},
		"hello names another": {"shop.example", []string{"ksn.kaspersky-labs.com"}, feeds.None, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Config{})
			b.certificate("10.0.0.1", "192.0.2.1:443", c.sni, c.names...)
			list := b.Findings()
			if c.class == feeds.None {
				if len(list) != 0 {
					t.Fatalf("findings %+v", list[0])
				}
				return
			}
			if len(list) != 1 || list[0].Class != c.class || list[0].Exchanges != 1 || list[0].BytesIn != 2 {
				t.Fatalf("findings %+v", list)
			}
			var facts strings.Builder
			for _, f := range list[0].Facts {
				facts.WriteString(f.Text + "\n")
			}
			if !strings.Contains(facts.String(), c.fact) {
				t.Errorf("facts\n%swant %q", facts.String(), c.fact)
			}
			for _, told := range b.changes {
				if strings.HasSuffix(told, " "+c.class.String()) {
					return
				}
				t.Errorf("told %q before %s", told, c.class)
			}
		})
	}
}

// TestAnswerBeforeCertificate: what DNS answered for the address counts, not the names
// of the certificate.
func TestAnswerBeforeCertificate(t *testing.T) {
	b := newBench(t, Config{})
	b.answer("10.0.0.1", "10.0.0.53", "ksn.kaspersky-labs.com", 0, "192.0.2.1")
	b.certificate("10.0.0.1", "192.0.2.1:443", "", "www.kaspersky.com")
	if list := b.Findings(); len(list) != 1 || list[0].Class != feeds.Likely || !slices.Equal(list[0].Names, []string{"ksn.kaspersky-labs.com"}) {
		t.Errorf("findings %+v", list)
	}
}

// TestForwarders: who is asked by SOCKS, and who sends PROXY headers, speaks for others.
func TestForwarders(t *testing.T) {
	b := newBench(t, Config{})
	o := b.observation(capture.ProtoSOCKS, capture.Request, "10.0.0.1", "10.0.0.2:1080")
	o.Flow, o.Name, o.SOCKS = b.packet, []byte("ksn.kaspersky-labs.com"), &capture.SOCKS{Version: 5, Command: 1, Port: 443}
	b.Observe(o)
	p := b.observation(capture.ProtoPROXY, capture.Request, "10.0.0.3", "10.0.0.4:443")
	p.Flow = b.packet
	b.Observe(p)
	for addr, want := range map[string]Role{"10.0.0.1": 0, "10.0.0.2": Proxy, "10.0.0.3": Proxy, "10.0.0.4": 0} {
		var got Role
		if h := b.hosts.get(netip.MustParseAddr(addr)); h != nil {
			got = h.roles()
		}
		if got != want {
			t.Errorf("%s has the role %q, want %q", addr, got, want)
		}
	}
	if list := b.Findings(); len(list) != 1 || list[0].Class != feeds.Installed || list[0].Host.Addr.String() != "10.0.0.1" {
		t.Errorf("findings %+v", list)
	}
}
