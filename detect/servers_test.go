package detect

import (
	"net/netip"
	"slices"
	"testing"

	"telltale/capture"
)

// TestServers lists where vendors were contacted, not who answers questions.
func TestServers(t *testing.T) {
	b := newBench(t, Config{})
	b.ask(host1, resolver, "s00.upd.kaspersky.com")
	if got := b.Servers(10); len(got) != 0 {
		t.Errorf("after a question: %v", got)
	}
	b.tls(host1, "198.51.100.2:443", "s00.upd.kaspersky.com", "a", capture.Exchanged)
	b.tls(host2, "198.51.100.1:443", "s00.upd.kaspersky.com", "a", capture.Exchanged)
	b.tls(host2, "198.51.100.9:443", "www.example.com", "a", capture.Exchanged)
	want := []netip.Addr{netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("198.51.100.2")}
	if got := b.Servers(10); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := b.Servers(1); !slices.Equal(got, want[:1]) {
		t.Errorf("of one: %v", got)
	}
}
