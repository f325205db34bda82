package main

import (
	"bytes"
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
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"telltale/capture"
	"telltale/capture/decode"
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
	w.address()
	w.serve(t)
	s := w.start("run", "-i", "vb", "-j", "2")
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
	s.lossless()
	validate(t, alertSchema(t), s.read("alerts.jsonl"))
}

// address gives both ends an address.
func (w *wire) address() {
	w.t.Helper()
	w.do("ip", "-n", w.near, "addr", "add", "10.77.0.1/24", "dev", "va")
	w.do("ip", "-n", w.far, "addr", "add", serverAddr+"/24", "dev", "vb")
}

// serve runs the servers in the far namespace until the end of the test.
func (w *wire) serve(t *testing.T) {
	t.Helper()
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
}

// lossless stops the program, which must not take anything for lost before the sensor.
func (s *session) lossless() {
	s.t.Helper()
	if text := s.stop(); !strings.Contains(text, "what flows acknowledge: 0.00 %") {
		s.t.Error("something is taken for lost before the sensor")
	}
}

// TestLiveTotals: a page that comes in frames far beyond the MTU of a real network is
// counted whole, as tcpdump saw it if all is read, what TCP sends again included; else
// by its sequence numbers, each byte once.
func TestLiveTotals(t *testing.T) {
	need(t, "curl")
	need(t, "tcpdump")
	for _, mode := range []string{"off", "ebpf"} {
		t.Run(mode, func(t *testing.T) {
			w := newWire(t, true)
			w.address()
			w.serve(t)
			dir := t.TempDir()
			dump, seen := filepath.Join(dir, "dump.pcap"), filepath.Join(dir, "seen")
			witness := in(w.far, "tcpdump", "-i", "vb", "-s", "96", "-B", "16384", "-U", "--immediate-mode", "-w", dump, "src", "port", "80")
			if err := witness.Start(); err != nil {
				t.Fatal(err)
			}
			for n := 0; n < 1000; n++ { // until it listens
				if st, err := os.Stat(dump); err == nil && st.Size() > 0 {
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
			s := w.start("run", "-i", "vb", "-j", "2", "--prefilter", mode, "--observations", seen)
			out, err := in(w.near, "curl", "-s", "--retry", "5", "--retry-connrefused", "http://"+serverAddr+"/").Output()
			if err != nil || len(out) != pageSize {
				t.Fatalf("a page of %d bytes: %v", len(out), err)
			}
			time.Sleep(300 * time.Millisecond)
			_ = witness.Process.Signal(syscall.SIGTERM)
			_ = witness.Wait()
			s.lossless()
			sent, unique := payload(t, dump)
			want := sent
			if mode != "off" {
				want = unique
			}
			if got := largest(t, seen); got != want || unique < pageSize {
				t.Errorf("the flow has %d bytes, want %d (%d were sent, %d of them different)", got, want, sent, unique)
			}
		})
	}
}

// payload returns how many bytes the packets of the largest TCP connection in a capture
// carry, and how many by its sequence numbers.
func payload(t *testing.T, dump string) (sent, unique int) {
	t.Helper()
	type total struct {
		sent        int
		first, next uint32
	}
	flows := map[uint16]*total{}
	decoder := decode.New(decode.Config{})
	eachPacket(t, dump, func(p *capture.Packet) {
		var seg decode.Segment
		if decoder.Decode(p, &seg) != decode.OK || seg.Protocol != 6 {
			t.Fatal("tcpdump took a packet that is not TCP")
		}
		f := flows[seg.DstPort]
		if f == nil { // the SYN
			f = &total{first: seg.Seq + 1, next: seg.Seq + 1}
			flows[seg.DstPort] = f
		}
		f.sent += int(seg.PayloadLen)
		if end := seg.Seq + seg.PayloadLen; int32(end-f.next) > 0 {
			f.next = end
		}
	})
	for _, f := range flows {
		if n := int(f.next - f.first); n > unique {
			sent, unique = f.sent, n
		}
	}
	return sent, unique
}

// largest returns the most bytes that a flow of the observations brought in.
func largest(t *testing.T, seen string) (most int) {
	t.Helper()
	b, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var o struct {
			Kind    string
			BytesIn int `json:"bytes_in"`
		}
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		if o.Kind == "end" {
			most = max(most, o.BytesIn)
		}
	}
	return most
}

// pageSize is the length of the page that the web server gives.
const pageSize = 4 << 20

// page answers with bytes that look like bulk: no message begins with them.
func page(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write(bytes.Repeat([]byte{0x90}, pageSize))
}

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
