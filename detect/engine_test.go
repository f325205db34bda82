package detect

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale/capture"
	"telltale/feeds"
)

// bench feeds an Engine with Observations made by hand.
type bench struct {
	*Engine
	t       testing.TB
	now     int64
	packet  uint64
	changes []string
	after   func() // called after each Observation, if set
}

func (b *bench) Observe(o *capture.Observation) {
	b.Engine.Observe(o)
	if b.after != nil {
		b.after()
	}
}

func newBench(t testing.TB, conf Config) *bench {
	t.Helper()
	lib, err := feeds.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	if conf.Set == nil {
		if conf.Set, err = feeds.Compile(lib, feeds.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	b := &bench{t: t, now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).UnixNano()}
	b.Engine, err = New(conf, func(c Change) {
		b.changes = append(b.changes, fmt.Sprintf("%s %s %s %s", c.Kind, c.Finding.Topic, c.Finding.Vendor, c.Finding.Class))
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) wait(d time.Duration) { b.now += int64(d) }

func (b *bench) observation(p capture.Proto, k capture.Kind, client, server string) *capture.Observation {
	b.now += 1e6
	b.packet++
	return &capture.Observation{
		Time: b.now, Packet: b.packet, Order: b.packet, Proto: p, Kind: k, Transport: 6,
		Client: netip.AddrPortFrom(netip.MustParseAddr(client), 50000),
		Server: netip.MustParseAddrPort(server),
	}
}

func (b *bench) ask(client, resolver, name string) {
	o := b.observation(capture.ProtoDNS, capture.Request, client, resolver+":53")
	o.Name, o.DNS = []byte(name), &capture.DNS{Type: 1, Class: 1}
	b.Observe(o)
}

func (b *bench) answer(client, resolver, name string, rcode uint16, addrs ...string) {
	o := b.observation(capture.ProtoDNS, capture.Response, client, resolver+":53")
	o.Name, o.DNS = []byte(name), &capture.DNS{Type: 1, Class: 1, RCode: rcode}
	for _, a := range addrs {
		o.DNS.Answers = append(o.DNS.Answers, capture.Answer{Name: o.Name, Type: 1, TTL: 300, Addr: netip.MustParseAddr(a)})
	}
	b.Observe(o)
}

// tls makes a TLS connection that names its server, with a TLS stack of this name.
func (b *bench) tls(client, server, name, ciphers string, outcome capture.Outcome) {
	o := b.observation(capture.ProtoTLS, capture.Request, client, server)
	o.Flow = b.packet
	o.Name, o.TLS = []byte(name), &capture.ClientHello{HasSNI: true, Ciphers: uint64(digest([]byte(ciphers)))}
	b.Observe(o)
	b.flow(o, outcome, capture.Named)
}

// flow ends the flow that o belongs to.
func (b *bench) flow(o *capture.Observation, outcome capture.Outcome, naming capture.Unnamed) {
	kinds := []capture.Kind{capture.FlowOpen, capture.FlowEnd}
	if outcome != capture.Exchanged {
		kinds = kinds[1:]
	}
	for _, k := range kinds {
		f := b.observation(capture.ProtoFlow, k, o.Client.Addr().String(), o.Server.String())
		f.Flow, f.Transport = o.Flow, o.Transport
		f.End = &capture.FlowState{Start: o.Time, BytesOut: 500, BytesIn: 4000, PacketsOut: 5, PacketsIn: 5, Outcome: outcome, Unnamed: naming}
		b.Observe(f)
	}
}

// nameless makes a connection without a name of its own.
func (b *bench) nameless(client, server string, outcome capture.Outcome) {
	o := b.observation(capture.ProtoFlow, capture.FlowOpen, client, server)
	o.Flow = b.packet
	b.flow(o, outcome, capture.Opaque)
}

// finding returns the only Finding of a vendor.
func (b *bench) finding(vendor string) *Finding {
	b.t.Helper()
	var all []*Finding
	for _, f := range b.Findings() {
		if f.Vendor == vendor {
			all = append(all, f)
		}
	}
	if len(all) != 1 {
		b.t.Fatalf("%d findings of %q, want 1", len(all), vendor)
	}
	return all[0]
}

func facts(f *Finding, against bool) string {
	var all []string
	for _, x := range f.Facts {
		if x.Against == against {
			all = append(all, x.Text)
		}
	}
	return strings.Join(all, "\n")
}

const (
	host1    = "10.0.0.5"
	host2    = "10.0.0.6"
	resolver = "10.0.0.53"
	vendorIP = "203.0.113.10"
	update   = "s00.upd.kaspersky.com"
	website  = "www.kaspersky.com"
	chrome   = "8daaf6152771"
	other    = "c384039f30c5"
)

func TestClasses(t *testing.T) {
	tests := map[string]struct {
		play  func(b *bench)
		class feeds.Class
	}{
		"update endpoint by its hello": {func(b *bench) {
			b.tls(host1, vendorIP+":443", update, other, capture.Exchanged)
		}, feeds.Installed},
		"update endpoint, blocked at the firewall": {func(b *bench) {
			b.tls(host1, vendorIP+":443", update, other, capture.Attempted)
		}, feeds.Installed},
		"update endpoint, asked once": {func(b *bench) {
			b.ask(host1, resolver, update)
			b.answer(host1, resolver, update, 0, vendorIP)
		}, feeds.Likely},
		"update endpoint, asked again and again": {func(b *bench) {
			for range 3 {
				b.ask(host1, resolver, update)
				b.answer(host1, resolver, update, 3)
				b.wait(time.Hour)
			}
		}, feeds.Installed},
		"update endpoint, asked thrice in one burst": {func(b *bench) {
			for range 3 {
				b.ask(host1, resolver, update)
				b.wait(time.Second)
			}
		}, feeds.Likely},
		"update endpoint, named only by the earlier answer": {func(b *bench) {
			b.ask(host1, resolver, update)
			b.answer(host1, resolver, update, 0, vendorIP)
			b.nameless(host1, vendorIP+":443", capture.Exchanged)
		}, feeds.Likely},
		"web site visited": {func(b *bench) {
			b.ask(host1, resolver, website)
			b.answer(host1, resolver, website, 0, vendorIP)
			b.tls(host1, vendorIP+":443", website, chrome, capture.Exchanged)
		}, feeds.Visited},
		"web site resolved": {func(b *bench) { b.ask(host1, resolver, website) }, feeds.Resolved},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Config{})
			c.play(b)
			f := b.finding("kaspersky")
			if f.Class != c.class {
				t.Errorf("class %s, want %s\nfor:\n%s\nagainst:\n%s", f.Class, c.class, facts(f, false), facts(f, true))
			}
		})
	}
}

// TestOneContact: question, answer, hello and flow of one contact count once.
func TestOneContact(t *testing.T) {
	b := newBench(t, Config{})
	for range 4 {
		b.ask(host1, resolver, update)
		b.ask(host1, resolver, update) // AAAA
		b.answer(host1, resolver, update, 0, vendorIP)
		b.tls(host1, vendorIP+":443", update, other, capture.Exchanged)
		b.wait(time.Hour)
	}
	f := b.finding("kaspersky")
	if f.Attempts != 0 || f.Exchanges != 4 || f.BytesOut != 2000 || f.BytesIn != 16000 {
		t.Errorf("attempts %d, exchanges %d, %d out, %d in; want 0, 4, 2000, 16000", f.Attempts, f.Exchanges, f.BytesOut, f.BytesIn)
	}
}

func TestAttemptsApart(t *testing.T) {
	b := newBench(t, Config{})
	b.tls(host1, vendorIP+":443", update, other, capture.Exchanged)
	b.wait(time.Hour)
	b.tls(host1, vendorIP+":443", update, other, capture.Refused)
	b.wait(time.Hour)
	b.ask(host1, resolver, update)
	b.answer(host1, resolver, update, 0, "0.0.0.0")
	f := b.finding("kaspersky")
	if f.Attempts != 2 || f.Exchanges != 1 {
		t.Errorf("attempts %d, exchanges %d; want 2 and 1", f.Attempts, f.Exchanges)
	}
	if !strings.Contains(facts(f, true), "blocked") {
		t.Errorf("the blocked answer is not told:\n%s", facts(f, true))
	}
}

// TestProxyDenied: what a proxy answers itself is no exchange with the vendor it was
// asked for.
func TestProxyDenied(t *testing.T) {
	for name, answer := range map[string]capture.HTTP{
		"forbidden":           {Status: 403, Connect: true},
		"granted, but silent": {Status: 200, Connect: true},
		"without a password":  {Status: 407},
	} {
		b := newBench(t, Config{})
		o := b.observation(capture.ProtoHTTP, capture.Request, host1, "10.0.0.9:3128")
		o.Flow = b.packet
		o.Name, o.HTTP = []byte(update), &capture.HTTP{Method: []byte("CONNECT"), Target: []byte(update + ":443")}
		b.Observe(o)
		r := b.observation(capture.ProtoHTTP, capture.Response, host1, "10.0.0.9:3128")
		r.Flow, r.HTTP = o.Flow, &answer
		b.Observe(r)
		b.flow(o, capture.Refused, capture.Named)
		if f := b.finding("kaspersky"); f.Attempts != 1 || f.Exchanges != 0 {
			t.Errorf("%s: attempts %d, exchanges %d; want 1 and 0", name, f.Attempts, f.Exchanges)
		}
	}
}

func TestNameExpires(t *testing.T) {
	b := newBench(t, Config{})
	b.answer(host1, resolver, "cloud.example.org", 0, vendorIP)
	b.answer(host1, resolver, update, 0, vendorIP)
	b.wait(2 * time.Hour) // the answer lived 300 s
	b.nameless(host1, vendorIP+":443", capture.Exchanged)
	if f := b.finding("kaspersky"); f.Exchanges != 0 {
		t.Errorf("a flow two hours later was credited to an answer of five minutes")
	}
}

func TestAnotherClientsAnswer(t *testing.T) {
	b := newBench(t, Config{})
	b.answer(host1, resolver, update, 0, vendorIP)
	b.nameless(host2, vendorIP+":443", capture.Exchanged)
	for _, f := range b.Findings() {
		if f.Host.Addr.String() == host2 && f.Class > feeds.Located {
			t.Errorf("%s got a finding from an answer to %s: %s", host2, host1, f.Class)
		}
	}
}

func TestResolverSpeaksForOthers(t *testing.T) {
	b := newBench(t, Config{})
	for range 4 {
		b.ask(host1, resolver, update)
		b.ask(host2, resolver, "www.example.org")
		b.ask(resolver, "198.41.0.4", update)
		b.wait(time.Hour)
	}
	for _, f := range b.Findings() {
		if f.Host.Addr.String() != resolver {
			continue
		}
		if f.Class != feeds.Resolved || !slices.Contains(f.Roles, "resolver") {
			t.Errorf("resolver: class %s, roles %v", f.Class, f.Roles)
		}
		if !strings.Contains(facts(f, true), "inferred") {
			t.Errorf("it is not said how the role is known:\n%s", facts(f, true))
		}
	}
}

func TestDeclaredRoles(t *testing.T) {
	for role, want := range map[Role]feeds.Class{Proxy: feeds.Likely, NAT: feeds.Likely, Mail: feeds.Visited, Enrichment: feeds.Visited, Resolver: feeds.Installed} {
		b := newBench(t, Config{Roles: []RoleDecl{{Net: netip.MustParsePrefix(host1 + "/32"), Role: role}}})
		b.tls(host1, vendorIP+":443", update, other, capture.Exchanged)
		if f := b.finding("kaspersky"); f.Class != want {
			t.Errorf("%s: class %s, want %s", role, f.Class, want)
		}
	}
}

func TestResolverWalk(t *testing.T) {
	walk := []string{"8.8.8.8", "1.1.1.1", "223.6.6.6", "9.9.9.9", "185.228.168.168"}
	b := newBench(t, Config{})
	b.ask(host1, resolver, "downloads.upd.kaspersky.com")
	for _, r := range walk {
		b.ask(host1, r, "downloads.upd.kaspersky.com")
		b.answer(host1, r, "downloads.upd.kaspersky.com", 3)
	}
	f := b.finding("kaspersky")
	if f.Class != feeds.Installed || !strings.Contains(facts(f, false), "public resolvers") {
		t.Errorf("class %s\n%s", f.Class, facts(f, false))
	}
	b = newBench(t, Config{})
	for i := range walk {
		b.ask(host1, walk[len(walk)-1-i], "downloads.upd.kaspersky.com")
	}
	if f := b.finding("kaspersky"); strings.Contains(facts(f, false), "public resolvers") {
		t.Errorf("the walk in reverse order was taken for the product's")
	}
}

func TestLookalikeIsAFindingOfItsOwn(t *testing.T) {
	b := newBench(t, Config{})
	b.tls(host1, vendorIP+":443", "kasperskyupdate.com", other, capture.Exchanged)
	f := b.finding("kaspersky")
	if f.Topic != AboutLookalike {
		t.Errorf("topic %s", f.Topic)
	}
	if len(f.Policies) != 0 {
		t.Errorf("policies count a look-alike: %v", f.Policies)
	}
}

func TestUnlikeBrowsers(t *testing.T) {
	b := newBench(t, Config{})
	for i := range 8 {
		b.tls(host1, "198.51.100.1:443", fmt.Sprintf("site%d.example", i), chrome, capture.Exchanged)
	}
	b.tls(host1, vendorIP+":443", update, other, capture.Exchanged)
	if f := b.finding("kaspersky"); !strings.Contains(facts(f, false), "fingerprint") {
		t.Errorf("the foreign fingerprint is not told:\n%s", facts(f, false))
	}
}

func TestAllowed(t *testing.T) {
	entry := Allow{Vendor: "kaspersky", Name: "upd.kaspersky.com", Reason: "test lab", Owner: "alice", Expires: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}
	b := newBench(t, Config{Allow: []Allow{entry}})
	b.tls(host1, vendorIP+":443", update, other, capture.Exchanged)
	if len(b.changes) != 0 {
		t.Errorf("an allowed contact was told: %v", b.changes)
	}
	if f := b.finding("kaspersky"); f.Allowed == nil {
		t.Error("the finding does not say by which entry it is allowed")
	}
	b.wait(48 * time.Hour)
	b.tls(host1, vendorIP+":443", update, other, capture.Exchanged)
	if len(b.changes) == 0 {
		t.Error("the entry has expired and still excuses")
	}
}

// TestAllowedNameOnly: an entry for one name does not excuse another.
func TestAllowedNameOnly(t *testing.T) {
	entry := Allow{Vendor: "kaspersky", Name: website, Reason: "r", Owner: "o", Expires: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
	b := newBench(t, Config{Allow: []Allow{entry}})
	b.tls(host1, vendorIP+":443", website, chrome, capture.Exchanged)
	b.tls(host1, vendorIP+":443", update, other, capture.Exchanged)
	if !slices.Contains(b.changes, "opened vendor kaspersky installed") {
		t.Errorf("changes %v", b.changes)
	}
}

func TestChanges(t *testing.T) {
	b := newBench(t, Config{})
	b.ask(host1, resolver, website)
	b.tls(host1, vendorIP+":443", website, chrome, capture.Exchanged)
	for range 10 {
		b.wait(time.Hour)
		b.tls(host1, vendorIP+":443", website, chrome, capture.Exchanged)
	}
	b.wait(24 * time.Hour)
	b.tls(host1, vendorIP+":443", update, other, capture.Exchanged)
	b.wait(40 * 24 * time.Hour)
	b.tls(host1, "198.51.100.1:443", "www.example.org", chrome, capture.Exchanged)
	b.wait(25 * time.Hour)
	b.tls(host1, "198.51.100.1:443", "www.example.org", chrome, capture.Exchanged)
	b.tls(host1, vendorIP+":443", update, other, capture.Exchanged)
	b.Flush()
	want := []string{
		"opened vendor kaspersky resolved", "raised vendor kaspersky visited",
		"summary vendor kaspersky visited", "raised vendor kaspersky installed",
		"summary vendor kaspersky installed", "cleared vendor kaspersky installed",
		"reopened vendor kaspersky installed", "summary vendor kaspersky installed",
	}
	if !slices.Equal(b.changes, want) {
		t.Errorf("changes\n%s\nwant\n%s", strings.Join(b.changes, "\n"), strings.Join(want, "\n"))
	}
}

// TestQuietHostIsNotClean: a host that is switched off is not cleared.
func TestQuietHostIsNotClean(t *testing.T) {
	b := newBench(t, Config{})
	b.tls(host1, vendorIP+":443", update, other, capture.Exchanged)
	b.wait(90 * 24 * time.Hour)
	b.tls(host2, "198.51.100.1:443", "www.example.org", chrome, capture.Exchanged)
	b.wait(25 * time.Hour)
	b.tls(host2, "198.51.100.1:443", "www.example.org", chrome, capture.Exchanged)
	for _, c := range b.changes {
		if strings.HasPrefix(c, "cleared") {
			t.Errorf("changes %v", b.changes)
		}
	}
}

func TestConfigSaysAllThatIsWrong(t *testing.T) {
	err := Config{Window: -1, MaxHosts: -1, Allow: []Allow{{}}}.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	if n := strings.Count(err.Error(), "\n") + 1; n < 5 {
		t.Errorf("%d errors, want every one: %v", n, err)
	}
}

// TestPlainTrafficAllocatesNothing: observations that match nothing, of known hosts.
func TestPlainTrafficAllocatesNothing(t *testing.T) {
	b := newBench(t, Config{})
	o := b.observation(capture.ProtoTLS, capture.Request, host1, "198.51.100.1:443")
	o.Flow, o.Name, o.TLS = 1, []byte("www.example.org"), &capture.ClientHello{HasSNI: true}
	q := b.observation(capture.ProtoDNS, capture.Request, host1, resolver+":53")
	q.Name, q.DNS = []byte("www.example.org"), &capture.DNS{Type: 1, Class: 1}
	end := b.observation(capture.ProtoFlow, capture.FlowEnd, host1, "198.51.100.1:443")
	end.Flow, end.End = 1, &capture.FlowState{Outcome: capture.Exchanged}
	n := testing.AllocsPerRun(500, func() {
		b.Observe(o)
		b.Observe(q)
		b.Observe(end)
	})
	if n != 0 {
		t.Errorf("%v allocations for three observations", n)
	}
}

func TestPorts(t *testing.T) {
	tests := map[string]struct {
		server string
		port   uint16
		host   string // who has the Finding, "" for none
	}{
		"agent to its server in the own network": {"10.0.0.200", 13000, host1},
		"the same port in the Internet":          {"198.51.100.7", 13000, ""},
		"a port many use":                        {"10.0.0.200", 8000, ""},
		"an ordinary port":                       {"10.0.0.200", 443, ""},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Config{})
			b.nameless(host1, netip.AddrPortFrom(netip.MustParseAddr(c.server), c.port).String(), capture.Exchanged)
			got := ""
			for _, f := range b.Findings() {
				got = f.Host.Addr.String()
				if f.Class > feeds.Likely {
					t.Errorf("a port alone gives %s", f.Class)
				}
			}
			if got != c.host {
				t.Errorf("finding of %q, want %q", got, c.host)
			}
		})
	}
}

func TestMisleadingNamesRaiseNothing(t *testing.T) {
	b := newBench(t, Config{})
	b.tls(host1, vendorIP+":443", "gc.kis.v2.scr.kaspersky-labs.com", chrome, capture.Exchanged)
	b.tls(host1, vendorIP+":443", "opentip.kaspersky.com", chrome, capture.Exchanged)
	if f := b.finding("kaspersky"); f.Class > feeds.Visited {
		t.Errorf("class %s", f.Class)
	}
}
