package capture

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
)

func sample(l *Log, p Proto, k Kind) *Observation {
	o := l.Add(p, k)
	o.Time, o.Packet, o.Flow, o.Transport = 1533658233773168000, 4, 1, 6
	o.Client = netip.MustParseAddrPort("10.0.0.1:50000")
	o.Server = netip.MustParseAddrPort("[2001:db8::1]:443")
	o.ClientMAC, o.VLAN = [6]byte{0xa8, 0xd0, 0xe5, 0xe1, 0xab, 0xde}, 12
	o.Name = []byte(`www\.x.example`)
	return o
}

func TestAppendJSON(t *testing.T) {
	head := `{"ts":"2018-08-07T16:10:33.773168000Z","packet":4,"flow":1,`
	ends := `"src":"10.0.0.1","sport":50000,"dst":"2001:db8::1","dport":443,"transport":6,"mac":"a8:d0:e5:e1:ab:de","vlan":12,"name":"www\\.x.example"`
	tests := map[string]struct {
		make func(l *Log) *Observation
		want string
	}{
		"dns": {func(l *Log) *Observation {
			o := sample(l, ProtoDNS, Response)
			*o.DNS = DNS{ID: 7, RCode: 3, Type: 65, Class: 1, Truncated: true, EDE: []uint16{15, 22}, Answers: []Answer{
				{Name: []byte("a"), Type: 1, TTL: 60, Addr: netip.MustParseAddr("192.0.2.1")},
				{Name: []byte("a"), Type: 65, TTL: 60, Target: []byte("."), ECH: []byte{1, 2}},
			}}
			return o
		}, head + `"proto":"dns","kind":"response",` + ends + `,"id":7,"qtype":"HTTPS","rcode":"NXDOMAIN","truncated":true,"ede":[15,22],"answers":[{"name":"a","type":"A","ttl":60,"data":"192.0.2.1"},{"name":"a","type":"HTTPS","ttl":60,"data":".","ech":"AQI="}]}`},
		"tls": {func(l *Log) *Observation {
			o := sample(l, ProtoTLS, Request)
			*o.TLS = ClientHello{Version: 0x304, ALPN: [][]byte{[]byte("h2"), {0xff, '"'}}, Length: 512, ECH: ECH{Present: true, ConfigID: 9, KDF: 1, AEAD: 1, PayloadLen: 144}}
			return o
		}, head + `"proto":"tls","kind":"request",` + ends + `,"version":"0x0304","alpn":["h2","\\255\""],"hello_length":512,"ech":{"inner":false,"config_id":9,"kdf":1,"aead":1,"payload":144}}`},
		"http": {func(l *Log) *Observation {
			o := sample(l, ProtoHTTP, Request)
			*o.HTTP = HTTP{Method: []byte("GET"), Target: []byte("/\x1b[31m"), UserAgent: []byte(`x\y`), Minor: 1, Port: 8080}
			return o
		}, head + `"proto":"http","kind":"request",` + ends + `,"method":"GET","target":"/\\027[31m","port":8080,"user_agent":"x\\\\y","minor":1}`},
		"flow": {func(l *Log) *Observation {
			o := sample(l, ProtoFlow, FlowEnd)
			o.Name = nil
			*o.End = FlowState{Start: 1533658233773168000, BytesOut: 1, PacketsIn: 2, App: ProtoTLS, Outcome: Refused, Unnamed: NoSNI, OneSided: true}
			return o
		}, head + `"proto":"flow","kind":"end",` + ends[:len(ends)-len(`,"name":"www\\.x.example"`)] + `,"start":"2018-08-07T16:10:33.773168000Z","bytes_out":1,"bytes_in":0,"packets_out":0,"packets_in":2,"app":"tls","outcome":"refused","naming":"no_sni","one_sided":true}`},
		"x509": {func(l *Log) *Observation {
			o := sample(l, ProtoX509, Response)
			*o.Cert = Certificate{Subject: []byte("a\x1b\""), Org: []byte("Org"), Issuer: []byte("CA"), Names: [][]byte{[]byte("a.example"), []byte("*.b.example")}, More: true, Asked: true}
			return o
		}, head + `"proto":"x509","kind":"response",` + ends + `,"subject":"a\\027\"","organization":"Org","issuer":"CA","san":["a.example","*.b.example"],"more_san":true,"asked":true}`},
		"socks": {func(l *Log) *Observation {
			o := sample(l, ProtoSOCKS, Request)
			*o.SOCKS = SOCKS{Version: 5, Command: 3, Port: 53, HostIsIP: true}
			return o
		}, head + `"proto":"socks","kind":"request",` + ends + `,"socks_version":5,"command":"udp_associate","port":53,"host_is_ip":true}`},
		"proxy": {func(l *Log) *Observation {
			o := sample(l, ProtoPROXY, Request)
			o.Proxied = netip.MustParseAddrPort("192.0.2.7:9")
			return o
		}, head + `"proto":"proxy","kind":"request",` + strings.Replace(ends, `"mac"`, `"proxied_src":"192.0.2.7","proxied_sport":9,"mac"`, 1) + `}`},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			got := string(c.make(new(Log)).AppendJSON(nil))
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if !json.Valid([]byte(got)) {
				t.Error("not JSON")
			}
		})
	}
}

// FuzzAppendJSON: any bytes of the network make valid ASCII JSON, and come back.
func FuzzAppendJSON(f *testing.F) {
	f.Add([]byte("plain"))
	f.Add([]byte("\x00\"\\\n\x7f\xff"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var l Log
		o := sample(&l, ProtoHTTP, Request)
		o.HTTP.UserAgent = raw
		got := o.AppendJSON(nil)
		for _, c := range got {
			if c < 0x20 || c > 0x7e {
				t.Fatalf("byte %#x in %q", c, got)
			}
		}
		var back struct {
			UserAgent string `json:"user_agent"`
		}
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatalf("%v in %s", err, got)
		}
		if want := string(AppendEscaped(nil, raw)); back.UserAgent != want {
			t.Errorf("came back as %q, want %q", back.UserAgent, want)
		}
	})
}

func TestLogIsReused(t *testing.T) {
	var l Log
	turn := func() {
		l.Reset()
		for range 100 {
			o := l.Add(ProtoDNS, Response)
			if o.DNS.ID != 0 || o.Name != nil || len(o.DNS.Answers) != 0 {
				t.Fatal("what was there before is still there")
			}
			o.DNS.ID, o.Name = 7, l.Copy([]byte("name.example"))
			o.DNS.Answers, o.DNS.EDE = l.Answers(3), l.Words(2)
			l.Lists(4)[0] = o.Name
		}
	}
	turn()
	if n := testing.AllocsPerRun(50, turn); n != 0 {
		t.Errorf("%v allocations in a log of working size", n)
	}
	first := l.At(0)
	for range 1000 {
		l.Add(ProtoTLS, Request)
	}
	if l.At(0) != first || string(first.Name) != "name.example" {
		t.Error("an observation moved while the log grew")
	}
	l.Truncate(5)
	if l.Len() != 5 {
		t.Errorf("%d observations after Truncate(5)", l.Len())
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	var l Log
	o := sample(&l, ProtoTLS, Request)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = o.AppendJSON(dst[:0])
	}
}
