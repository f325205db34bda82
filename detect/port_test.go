package detect

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"telltale/capture"
	"telltale/feeds"
)

// dial makes a connection without a name to a port.
func (b *bench) dial(client, server string, transport uint8, outcome capture.Outcome) {
	o := b.observation(capture.ProtoFlow, capture.FlowOpen, client, server)
	o.Flow, o.Transport = b.packet, transport
	b.flow(o, outcome, capture.Opaque)
}

// TestProductPorts plays what management agents do within one's own network.
func TestProductPorts(t *testing.T) {
	const agent, server = "10.0.0.5", "10.0.0.200"
	tests := map[string]struct {
		play  func(b *bench)
		host  string // who has the Finding, "" for none
		class feeds.Class
		fact  string // among those against
	}{
		"agent to server": {
			func(b *bench) { b.dial(agent, server+":13000", 6, capture.Exchanged) },
			agent, feeds.Likely, "a single port is no proof",
		},
		"agent and KSN proxy": {func(b *bench) {
			b.dial(agent, server+":13000", 6, capture.Exchanged)
			b.dial(agent, server+":13111", 6, capture.Exchanged)
		}, agent, feeds.Installed, ""},
		"KSN proxy over both transports": {func(b *bench) {
			b.dial(agent, server+":13111", 6, capture.Exchanged)
			b.dial(agent, server+":15111", 17, capture.Exchanged)
		}, agent, feeds.Installed, ""},
		"the same port twice": {func(b *bench) {
			b.dial(agent, server+":13000", 6, capture.Exchanged)
			b.dial(agent, server+":13000", 6, capture.Exchanged)
		}, agent, feeds.Likely, ""},
		"one answered, one not": {func(b *bench) {
			b.dial(agent, server+":13000", 6, capture.Exchanged)
			b.dial(agent, server+":13111", 6, capture.Refused)
		}, agent, feeds.Likely, "attempts only"},
		"consoles alone": {func(b *bench) {
			b.dial(agent, server+":13291", 6, capture.Exchanged)
			b.dial(agent, server+":13299", 6, capture.Exchanged)
		}, agent, feeds.Likely, ""},
		"server wakes the agent": {
			func(b *bench) { b.dial(server, agent+":15000", 17, capture.Exchanged) },
			agent, feeds.Likely, "",
		},
		"server calls an agent that is gone": {
			func(b *bench) { b.dial(server, agent+":15000", 17, capture.Attempted) },
			"", 0, "",
		},
		"an attempt": {
			func(b *bench) { b.dial(agent, server+":13000", 6, capture.Attempted) },
			agent, feeds.Resolved, "attempts only",
		},
		"attempts again and again": {func(b *bench) {
			for range 3 {
				b.dial(agent, server+":13000", 6, capture.Refused)
				b.wait(15 * time.Minute)
			}
		}, agent, feeds.Likely, "attempts only"},
		"attempts at once": {func(b *bench) {
			for range 3 {
				b.dial(agent, server+":13000", 6, capture.Refused)
			}
		}, agent, feeds.Resolved, ""},
		"a search for open ports": {func(b *bench) {
			for _, s := range []string{"10.0.0.201", "10.0.0.202", "10.0.0.203", "10.0.0.204", "10.0.0.205"} {
				b.dial(agent, s+":13000", 6, capture.Refused)
				b.wait(time.Minute)
			}
		}, agent, feeds.Located, "looks for open ports"},
		"a port of others": {
			func(b *bench) { b.dial(agent, server+":14000", 6, capture.Exchanged) },
			"", 0, "",
		},
		"two ports of others": {func(b *bench) {
			b.dial(agent, server+":14000", 6, capture.Exchanged)
			b.dial(agent, server+":8060", 6, capture.Exchanged)
		}, "", 0, ""},
		"a port of others beside a product's": {func(b *bench) {
			b.dial(agent, server+":13000", 6, capture.Exchanged)
			b.dial(agent, server+":14000", 6, capture.Exchanged)
		}, agent, feeds.Likely, "others than Kaspersky use tcp/14000 too"},
		"an attempt at a port of others beside a product's": {func(b *bench) {
			b.dial(agent, server+":13000", 6, capture.Exchanged)
			b.dial(agent, server+":14000", 6, capture.Attempted)
		}, agent, feeds.Likely, ""},
		"the cloud console without its name": {
			func(b *bench) { b.dial(agent, "198.51.100.7:23150", 6, capture.Exchanged) },
			"", 0, "",
		},
		"the server's port in the Internet": {
			func(b *bench) { b.dial(agent, "198.51.100.7:13000", 6, capture.Exchanged) },
			"", 0, "",
		},
		"the same port over UDP": {
			func(b *bench) { b.dial(agent, server+":13000", 17, capture.Exchanged) },
			"", 0, "",
		},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Config{})
			c.play(b)
			if c.host == "" {
				if n := len(b.Findings()); n != 0 {
					t.Fatalf("%d findings, want none", n)
				}
				return
			}
			f := b.finding("kaspersky")
			if f.Host.Addr != netip.MustParseAddr(c.host) || f.Class != c.class {
				t.Errorf("%s of %v, want %s of %s", f.Class, f.Host.Addr, c.class, c.host)
			}
			if got := facts(f, true); !strings.Contains(got, c.fact) {
				t.Errorf("facts against %q, want %q among them", got, c.fact)
			}
		})
	}
}

// The name of the server proves what its port does not.
func TestCloudConsoleByName(t *testing.T) {
	b := newBench(t, Config{})
	o := b.observation(capture.ProtoTLS, capture.Request, "10.0.0.5", "198.51.100.7:23150")
	o.Flow, o.Name, o.TLS = b.packet, []byte("s1.ksc.kaspersky.com"), &capture.ClientHello{HasSNI: true}
	b.Observe(o)
	b.flow(o, capture.Exchanged, capture.Named)
	if f := b.finding("kaspersky"); f.Class != feeds.Installed {
		t.Errorf("%s, want installed", f.Class)
	}
}

// A proxy opens connections for others: two ports do not raise it above likely.
func TestProductPortsOfAProxy(t *testing.T) {
	b := newBench(t, Config{Roles: []RoleDecl{{netip.MustParsePrefix("10.0.0.5/32"), Proxy}}})
	b.dial("10.0.0.5", "10.0.0.200:13000", 6, capture.Exchanged)
	b.dial("10.0.0.5", "10.0.0.200:13111", 6, capture.Exchanged)
	if f := b.finding("kaspersky"); f.Class != feeds.Likely || len(f.Roles) != 1 {
		t.Errorf("%s, roles %v", f.Class, f.Roles)
	}
}
