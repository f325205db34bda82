package detect

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"telltale/capture"
)

// secretly makes a hello and the flow it opens.
func (b *bench) secretly(p capture.Proto, client, server, name string, alpn ...string) {
	o := b.observation(p, capture.Request, client, server)
	o.Flow, o.Name, o.TLS = b.packet, []byte(name), &capture.ClientHello{HasSNI: name != ""}
	if p == capture.ProtoQUIC {
		o.Transport = 17
	}
	for _, a := range alpn {
		o.TLS.ALPN = append(o.TLS.ALPN, []byte(a))
	}
	b.Observe(o)
	f := b.observation(capture.ProtoFlow, capture.FlowOpen, client, server)
	f.Flow, f.Transport = o.Flow, o.Transport
	f.End = &capture.FlowState{App: p, Outcome: capture.Exchanged}
	b.Observe(f)
}

// opened makes a flow that was answered and whose hello was not seen.
func (b *bench) opened(transport uint8, client, server string) {
	o := b.observation(capture.ProtoFlow, capture.FlowOpen, client, server)
	o.Flow, o.Transport, o.End = b.packet, transport, &capture.FlowState{Outcome: capture.Exchanged, Unnamed: capture.Midstream}
	b.Observe(o)
}

// uses puts the list of encrypted resolvers into words.
func (b *bench) uses() (all []string) {
	for _, u := range b.Coverage().Encrypted {
		all = append(all, fmt.Sprintf("%s %s %q %s %d", u.Host, u.Resolver, u.Operator, u.Kind, u.Connections))
	}
	return all
}

func TestEncryptedDNS(t *testing.T) {
	tls, quic, dtls := capture.ProtoTLS, capture.ProtoQUIC, capture.ProtoDTLS
	tests := []struct {
		name string
		play func(b *bench)
		want string // "" for none
	}{
		{"DoT by port", func(b *bench) { b.secretly(tls, host1, "192.0.2.53:853", "dot.example") }, `dot.example "" dot 1`},
		{"DoT without a name", func(b *bench) { b.secretly(tls, host1, "192.0.2.53:853", "") }, `192.0.2.53 "" dot 1`},
		{"DoT by ALPN", func(b *bench) { b.secretly(tls, host1, "192.0.2.53:443", "dot.example", "dot") }, `dot.example "" dot 1`},
		{"DNS over DTLS", func(b *bench) { b.secretly(dtls, host1, "192.0.2.53:853", "dtls.example") }, `dtls.example "" dot 1`},
		{"DoQ by port", func(b *bench) { b.secretly(quic, host1, "192.0.2.53:853", "doq.example") }, `doq.example "" doq 1`},
		{"DoQ by the port of drafts", func(b *bench) { b.secretly(quic, host1, "192.0.2.53:784", "doq.example") }, `doq.example "" doq 1`},
		{"DoQ by an early port", func(b *bench) { b.secretly(quic, host1, "192.0.2.53:8853", "doq.example") }, `doq.example "" doq 1`},
		{"DoQ by ALPN", func(b *bench) { b.secretly(quic, host1, "192.0.2.53:443", "doq.example", "doq-i02") }, `doq.example "" doq 1`},
		{"DoH by name", func(b *bench) { b.secretly(tls, host1, "192.0.2.53:443", "dns.quad9.net", "h2") }, `dns.quad9.net "" doh 1`},
		{"DoH by name below", func(b *bench) { b.secretly(tls, host1, "192.0.2.53:443", "x1.dns.nextdns.io", "h2") }, `x1.dns.nextdns.io "" doh 1`},
		{"DoH over HTTP/3", func(b *bench) { b.secretly(quic, host1, "9.9.9.9:443", "dns.quad9.net", "h3") }, `dns.quad9.net "Quad9" doh 1`},
		{"DoH by address", func(b *bench) { b.secretly(tls, host1, "1.1.1.1:443", "", "h2") }, `1.1.1.1 "Cloudflare" doh 1`},
		{"DoT in the middle", func(b *bench) { b.opened(6, host1, "192.0.2.53:853") }, `192.0.2.53 "" dot 1`},
		{"DoQ in the middle", func(b *bench) { b.opened(17, host1, "192.0.2.53:853") }, `192.0.2.53 "" doq 1`},
		{"DoH in the middle", func(b *bench) { b.opened(6, host1, "9.9.9.9:443") }, `9.9.9.9 "Quad9" doh 1`},
		{"two connections", func(b *bench) {
			b.secretly(tls, host1, "9.9.9.9:443", "dns.quad9.net", "h2")
			b.secretly(tls, host1, "8.8.4.4:443", "dns.quad9.net", "h2")
		}, `dns.quad9.net "Quad9" doh 2`},
		{"a web site", func(b *bench) { b.secretly(tls, host1, "192.0.2.80:443", "www.example.org", "h2", "http/1.1") }, ""},
		{"another port of a resolver", func(b *bench) { b.opened(6, host1, "9.9.9.9:8080") }, ""},
		{"a web site in the middle", func(b *bench) { b.opened(6, host1, "192.0.2.80:443") }, ""},
		{"TLS on the port of early DoQ", func(b *bench) { b.secretly(tls, host1, "192.0.2.80:8853", "www.example.org") }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, Config{})
			tt.play(b)
			want := []string(nil)
			if tt.want != "" {
				want = []string{host1 + " " + tt.want}
			}
			if got := b.uses(); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if len(b.Findings()) != 0 || len(b.changes) != 0 {
				t.Errorf("findings %v, changes %q", b.Findings(), b.changes)
			}
		})
	}
}

// TestEncryptedDNSIsToldOnce: with the switch, the first use of a resolver by a host is
// a change, and nothing after it.
func TestEncryptedDNSIsToldOnce(t *testing.T) {
	var told []Change
	b := newBench(t, Config{TellEncryptedDNS: true})
	b.Engine.told = func(c Change) { told = append(told, c) }
	for range 50 {
		b.secretly(capture.ProtoTLS, host1, "9.9.9.9:443", "dns.quad9.net", "h2")
		b.secretly(capture.ProtoTLS, host1, "9.9.9.10:853", "dns.quad9.net")
		b.secretly(capture.ProtoQUIC, host2, "9.9.9.9:443", "dns.quad9.net", "h3")
		b.wait(1e15) // eleven days: past every summary
	}
	b.Flush()
	if len(told) != 2 {
		t.Fatalf("%d changes, want one for each host", len(told))
	}
	f := told[0].Finding
	if f.Topic != AboutEncryptedDNS || f.Host.Addr.String() != host1 || f.Vendor != "" || !slices.Equal(f.Names, []string{"dns.quad9.net"}) ||
		f.ID == told[1].Finding.ID || !strings.Contains(f.Facts[0].Text, "(doh) to dns.quad9.net (Quad9), server 9.9.9.9:443") {
		t.Errorf("finding %+v", f)
	}
	want := []string{host1 + ` dns.quad9.net "Quad9" dot 50`, host1 + ` dns.quad9.net "Quad9" doh 50`, host2 + ` dns.quad9.net "Quad9" doh 50`}
	if got := b.uses(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if c := b.Coverage(); c.EncryptedDNS != 150 || len(b.Findings()) != 0 {
		t.Errorf("%d connections, %d findings kept", c.EncryptedDNS, len(b.Findings()))
	}
}

func TestEncryptedDNSIsBounded(t *testing.T) {
	b := newBench(t, Config{MaxEncrypted: 10, TellEncryptedDNS: true})
	for i := range 30 {
		b.secretly(capture.ProtoTLS, fmt.Sprintf("10.1.0.%d", i), "192.0.2.53:853", "dot.example")
	}
	if c := b.Coverage(); len(c.Encrypted) != 10 || c.EncryptedLost != 20 || c.EncryptedDNS != 30 || len(b.changes) != 10 {
		t.Errorf("%d listed, %d lost, %d connections, %d changes", len(c.Encrypted), c.EncryptedLost, c.EncryptedDNS, len(b.changes))
	}
}
