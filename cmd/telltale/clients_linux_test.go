package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// serverAddr is where the servers of TestLiveClients are.
const serverAddr = "10.77.0.2"

// TestLiveClients: real programs that talk to servers with vendor names raise the right
// alerts within a second.
func TestLiveClients(t *testing.T) {
	if os.Getenv("TELLTALE_TEST_SERVERS") != "" {
		serve(t)
		return
	}
	need(t, "curl")
	need(t, "dig")
	w := newWire(t, true)
	w.do("ip", "-n", w.near, "addr", "add", "10.77.0.1/24", "dev", "va")
	w.do("ip", "-n", w.far, "addr", "add", serverAddr+"/24", "dev", "vb")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	servers := in(w.far, self, "-test.run=^TestLiveClients$", "-test.timeout=5m")
	servers.Env = append(os.Environ(), "TELLTALE_TEST_SERVERS=1")
	if err := servers.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = servers.Process.Kill(); _ = servers.Wait() })
	seen := filepath.Join(t.TempDir(), "seen")
	s := w.start("run", "-i", "vb", "-j", "2", "--observations", seen)
	for _, c := range []struct {
		vendor, class string
		command       []string
	}{
		{"kaspersky", "installed", []string{"curl", "-sk", "--retry", "5", "--retry-connrefused", "--resolve", "dnl-01.geo.kaspersky.com:443:" + serverAddr, "https://dnl-01.geo.kaspersky.com/"}},
		{"bytedance", "", []string{"dig", "+tries=5", "+time=1", "@" + serverAddr, "www.tiktok.com"}},
		{"hikvision", "", []string{"curl", "-s", "-o", "/dev/null", "-H", "Host: www.hik-connect.com", "http://" + serverAddr + "/"}},
	} {
		if out, err := in(w.near, c.command...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(c.command, " "), err, out)
		}
		took := s.wait(`"vendor":"`+c.vendor+`"`, time.Second)
		t.Logf("%s: alerted %s after the client had ended", c.vendor, took)
		if c.class != "" {
			s.wait(`"class":"`+c.class+`"`, time.Second)
		}
	}
	text := s.stop()
	validate(t, alertSchema(t), s.read("alerts.jsonl"))
	if !strings.Contains(text, "what flows acknowledge: 0.0") {
		t.Error("something is taken for lost before the sensor")
	}
	// The page comes in frames far beyond the MTU of a real network, and is counted whole;
	// a busy machine sends some of it again.
	b, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	whole := false
	for line := range strings.Lines(string(b)) {
		var o struct {
			Kind    string
			DPort   int
			BytesIn int `json:"bytes_in"`
		}
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		whole = whole || o.Kind == "end" && o.DPort == 80 && o.BytesIn > pageSize && o.BytesIn < pageSize*11/10
	}
	if !whole {
		t.Errorf("no flow of a page of %d bytes", pageSize)
	}
}

// pageSize is the length of the page that the web server gives.
const pageSize = 4 << 20

func page(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, pageSize)) }

// TestAnyLoopback: what loops back is seen once.
func TestAnyLoopback(t *testing.T) {
	need(t, "dig")
	w := newWire(t, false)
	for _, name := range []string{"any", "lo"} {
		seen := filepath.Join(t.TempDir(), "seen")
		s := w.start("run", "-i", name, "--observations", seen)
		_ = in(w.far, "dig", "+tries=1", "+time=1", "@127.0.0.1", "www.tiktok.com").Run() // nobody answers
		s.wait("bytedance", 3*time.Second)
		s.stop()
		b, err := os.ReadFile(seen)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), `"kind":"request"`); n != 1 {
			t.Errorf("%s: a question was seen %d times", name, n)
		}
	}
}

// serve answers DNS, HTTP and HTTPS whatever the name, until it is killed.
func serve(t *testing.T) {
	answer := func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		m.Answer = []dns.RR{&dns.A{
			Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60},
			A:   net.ParseIP(serverAddr),
		}}
		_ = w.WriteMsg(m)
	}
	failed := make(chan error)
	go func() {
		failed <- (&dns.Server{Addr: serverAddr + ":53", Net: "udp", Handler: dns.HandlerFunc(answer)}).ListenAndServe()
	}()
	go func() { failed <- http.ListenAndServe(serverAddr+":80", http.HandlerFunc(page)) }()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", serverAddr+":443", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	go func() { failed <- http.Serve(l, http.NotFoundHandler()) }()
	t.Fatal(<-failed)
}
