package detect

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"telltale/capture"
)

// echList is an ECHConfigList with one configuration, and one of an unknown version
// before it.
func echList(id uint8, name string) []byte {
	contents := append([]byte{id, 0, 32, 0, 1, 9, 0, 4, 0, 1, 0, 1, 0, byte(len(name))}, name...)
	contents = append(contents, 0, 0)
	config := binary.BigEndian.AppendUint16([]byte{0xfe, 0x0d}, uint16(len(contents)))
	list := append([]byte{0xfe, 0x0a, 0, 1, 'x'}, append(config, contents...)...)
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(list))), list...)
}

// publish makes a DNS answer to a client with an ECH configuration.
func (b *bench) publish(client string, id uint8, name string, ttl uint32) {
	o := b.observation(capture.ProtoDNS, capture.Response, client, resolver+":53")
	o.Name, o.DNS = []byte("hidden.example"), &capture.DNS{Type: 65, Class: 1, Answers: []capture.Answer{{Type: 65, TTL: ttl, ECH: echList(id, name)}}}
	b.Observe(o)
}

// offer makes a hello with the extension and says whether it was taken for real.
func (b *bench) offer(client, name string, id uint8) bool {
	before := b.Coverage().ECHReal
	o := b.observation(capture.ProtoTLS, capture.Request, client, vendorIP+":443")
	o.Flow, o.Name = b.packet, []byte(name)
	o.TLS = &capture.ClientHello{HasSNI: true, ECH: capture.ECH{Present: true, ConfigID: id}}
	b.Observe(o)
	return b.Coverage().ECHReal > before
}

func TestECHRealAndGrease(t *testing.T) {
	x := newBench(t, Config{})
	x.publish(host1, 7, "Cover.Example.", 300)
	for _, c := range []struct {
		client, name string
		id           uint8
		real         bool
	}{
		{host1, "cover.example", 7, true},
		{host2, "cover.example", 7, true}, // learned where it was not seen
		{host1, "cover.example", 8, false},
		{host1, "www.example.org", 7, false},
		{host1, "cloudflare-ech.com", 99, true}, // a front that nobody visits for itself
		{host1, "", 7, false},
	} {
		if got := x.offer(c.client, c.name, c.id); got != c.real {
			t.Errorf("%s, %q with config %d: real is %v", c.client, c.name, c.id, got)
		}
	}
	if c := x.Coverage(); c.ECHReal != 3 || c.ECHGrease != 3 {
		t.Errorf("%d real, %d GREASE; want 3 of each", c.ECHReal, c.ECHGrease)
	}
}

// TestECHExpires: a configuration counts for its time to live, in packet time, and a
// minute more.
func TestECHExpires(t *testing.T) {
	x := newBench(t, Config{})
	x.publish(host1, 7, "cover.example", 300)
	x.wait(6*time.Minute - time.Second)
	if !x.offer(host1, "cover.example", 7) {
		t.Error("expired before its time")
	}
	x.wait(2 * time.Second)
	if x.offer(host1, "cover.example", 7) {
		t.Error("not expired")
	}
	x.publish(host2, 7, "cover.example", 1<<31)
	x.wait(24 * time.Hour)
	if !x.offer(host1, "cover.example", 7) {
		t.Error("not renewed")
	}
	x.wait(2 * time.Minute)
	if x.offer(host1, "cover.example", 7) {
		t.Error("a time to live of years counts for more than a day")
	}
}

// TestECHBound: a full table forgets what it learned first, and counts it if it was
// still in use.
func TestECHBound(t *testing.T) {
	c := newECHConfigs(10)
	for i := range 25 {
		c.list(echList(1, fmt.Sprintf("n%d.example", i)), int64(i), int64(i)+8)
		c.list(echList(1, fmt.Sprintf("n%d.example", i)), int64(i), int64(i)+8) // no new one
	}
	if len(c.known) != 10 || len(c.order) != 10 || c.forgotten != 0 {
		t.Errorf("%d known, %d in order, %d forgotten; want 10, 10, 0", len(c.known), len(c.order), c.forgotten)
	}
	for i := range 5 {
		c.list(echList(2, fmt.Sprintf("m%d.example", i)), 20, 1000)
	}
	if len(c.known) != 10 || c.forgotten != 5 {
		t.Errorf("%d known, %d forgotten; want 10, 5", len(c.known), c.forgotten)
	}
	if _, ok := c.known[echKey{"n24.example", 1}]; !ok {
		t.Error("a later one was forgotten first")
	}
}

// FuzzECHConfig reads any bytes as an ECHConfigList.
func FuzzECHConfig(f *testing.F) {
	f.Add(echList(7, "a.b"))
	f.Add([]byte{0, 20, 0xfe, 0x0d, 0, 16, 7, 0, 32, 0, 1, 9, 0, 4, 0, 1, 0, 1, 0, 3, 'a', '.', 'b', 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		c := newECHConfigs(4)
		c.learn(&capture.DNS{Answers: []capture.Answer{{ECH: b, TTL: 1}}}, 1)
		if len(c.known) > 4 || len(c.known) != len(c.order) {
			t.Errorf("%d configurations, %d in order", len(c.known), len(c.order))
		}
		for k := range c.known {
			if k.name == "" {
				t.Error("a configuration without a name")
			}
		}
	})
}
