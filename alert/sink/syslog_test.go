package sink

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"telltale/alert"
	"telltale/alert/format"
	"telltale/detect"
	"telltale/feeds"
)

// collector accepts connections and keeps what each sent.
type collector struct {
	net.Listener
	mu    sync.Mutex
	got   []string // messages, by octet counting
	conns []net.Conn
}

func collect(t *testing.T, l net.Listener) *collector {
	t.Helper()
	c := &collector{Listener: l}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.mu.Lock()
			c.conns = append(c.conns, conn)
			c.mu.Unlock()
			go c.read(conn)
		}
	}()
	return c
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// read takes octet-counted messages (RFC 6587 §3.4.1).
func (c *collector) read(conn net.Conn) {
	in := bufio.NewReader(conn)
	for {
		word, err := in.ReadString(' ')
		n, err2 := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || err2 != nil {
			return
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(in, b); err != nil {
			return
		}
		c.mu.Lock()
		c.got = append(c.got, string(b))
		c.mu.Unlock()
	}
}

// messages waits until n were received.
func (c *collector) messages(t *testing.T, n int) []string {
	t.Helper()
	for range 500 {
		c.mu.Lock()
		got := append([]string(nil), c.got...)
		c.mu.Unlock()
		if len(got) >= n {
			return got
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%d messages did not come", n)
	return nil
}

func (c *collector) hangUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

// TestSyslogTCP: framing, header and body by an independent parser; a lost connection is
// seen before the next write and asks for the window.
func TestSyslogTCP(t *testing.T) {
	c := collect(t, listen(t))
	target := sinkFrom(t, "type: syslog\ntransport: tcp\nformat: cef\nhostname: sensor1.example\naddress: "+c.Addr().String())
	if target.Window.Records != 1000 || target.Window.Span != 2*time.Second {
		t.Errorf("window %+v", target.Window)
	}
	batch := records(target, 3)
	o, _ := send(t, target, batch)
	if !o.Rewind || o.Done != 0 || o.Err != nil {
		t.Fatalf("a new connection: %+v", o)
	}
	if o, steps := send(t, target, batch); o.Done != 3 || o.Rewind || !strings.Contains(steps, "does not acknowledge") {
		t.Fatalf("%+v\n%s", o, steps)
	}
	for i, m := range c.messages(t, 3) {
		msg, err := rfc5424.NewParser().Parse([]byte(m))
		if err != nil {
			t.Fatalf("%v: %s", err, m)
		}
		s := msg.(*rfc5424.SyslogMessage)
		if *s.Hostname != "sensor1.example" || !strings.HasPrefix(*s.Message, "CEF:0|") || (*s.StructuredData)["telltale@32473"]["id"] != batch[i].Alert.ID {
			t.Errorf("%s", m)
		}
	}
	c.hangUp()
	time.Sleep(50 * time.Millisecond)
	if o, _ := send(t, target, batch); !o.Rewind {
		t.Fatalf("after a lost connection: %+v", o)
	}
	if o, _ := send(t, target, batch); o.Done != 3 {
		t.Fatalf("%+v", o)
	}
	c.messages(t, 6)
}

// TestSyslogHeaders: the header that a format's receivers expect, or the one that is asked
// for, and lines.
func TestSyslogHeaders(t *testing.T) {
	for settings, want := range map[string]string{
		"format: leef":                    "<132>1 2023-11-14T22:13:20.000Z s LEEF:2.0|",
		"format: cef\nheader: rfc3164":    "<132>Nov 14 22:13:20 s CEF:0|",
		"format: leef\nheader: rfc5424":   "<132>1 2023-11-14T22:13:20.000000Z s telltale ",
		"format: native\nheader: rfc3164": `<132>Nov 14 22:13:20 s {"schema":`,
	} {
		l := listen(t)
		got := make(chan string, 1)
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			line, _ := bufio.NewReader(conn).ReadString('\n')
			got <- line
		}()
		target := sinkFrom(t, "type: syslog\ntransport: tcp\nframing: lines\nhostname: s\naddress: "+l.Addr().String()+"\n"+settings)
		deliver(t, target, records(target, 1))
		if line := <-got; !strings.HasPrefix(line, want) {
			t.Errorf("%s: %q", settings, line)
		}
		_ = l.Close()
	}
}

func TestSyslogUDP(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	target := sinkFrom(t, "type: syslog\ntransport: udp\naddress: "+conn.LocalAddr().String())
	if o, steps := send(t, target, records(target, 2)); o.Done != 2 || !strings.Contains(steps, "nobody says whether") {
		t.Fatalf("%+v\n%s", o, steps)
	}
	b := make([]byte, 4096)
	for range 2 {
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, _, err := conn.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rfc5424.NewParser().Parse(b[:n]); err != nil {
			t.Errorf("%v: %s", err, b[:n])
		}
	}
}

// TestSyslogUDPFits: an alert with more to say than a datagram holds is told shorter, not
// cut in the middle.
func TestSyslogUDPFits(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	f := detect.Finding{Vendor: "kaspersky", ID: strings.Repeat("ab", 12), Host: detect.Host{Addr: netip.MustParseAddr("10.0.0.1")}}
	for range 30 {
		f.Facts = append(f.Facts, detect.Fact{Text: strings.Repeat("request to update.example.com ", 5)})
		f.Policies = append(f.Policies, &feeds.Policy{ID: "us-fcc-covered-2024-kaspersky"})
	}
	m := alert.Maker{Sensor: "sensor1", Packs: "p", Program: "1.0"}
	a := m.Change(detect.Change{Time: 1.7e18, Finding: &f})
	for _, form := range format.Formats() {
		target := sinkFrom(t, "type: syslog\ntransport: udp\nformat: "+form.Name+"\naddress: "+conn.LocalAddr().String())
		body := target.Encode(nil, a)
		deliver(t, target, []alert.Record{{Alert: a, Sensor: a.Sensor, Body: body}})
		b := make([]byte, 9000)
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, _, err := conn.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		if _, rest, ok := strings.Cut(string(b[:n]), "{"); n > 2048 || ok && !json.Valid([]byte("{"+rest)) {
			t.Errorf("%s: %d bytes: %s", form.Name, n, b[:n])
		}
		if form.Name == "native" && len(body) < 3000 {
			t.Error("the alert is not long")
		}
	}
}

// tlsListener asks for a client's certificate by that authority.
func tlsListener(t *testing.T, a *authority) net.Listener {
	t.Helper()
	cert, key := a.issue(t, "siem.test")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pem, err := os.ReadFile(a.file)
	if err != nil || !pool.AppendCertsFromPEM(pem) {
		t.Fatal("no authority")
	}
	return tls.NewListener(listen(t), &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert})
}

// TestSyslogTLS: both sides prove who they are; without a certificate the refusal is seen
// although the handshake and the write succeed for us (TLS 1.3).
func TestSyslogTLS(t *testing.T) {
	a := newAuthority(t)
	c := collect(t, tlsListener(t, a))
	cert, key := a.issue(t, "sensor.test")
	common := fmt.Sprintf("type: syslog\naddress: %s\ntls:\n  ca: %s\n  server_name: siem.test\n", c.Addr(), a.file)
	target := sinkFrom(t, common+"  cert: "+cert+"\n  key: "+key)
	deliver(t, target, records(target, 2))
	c.messages(t, 2)

	refused := sinkFrom(t, common)
	batch := records(refused, 1)
	for range 3 {
		o, _ := send(t, refused, batch)
		if o.Done != 0 {
			t.Fatal("a refused connection counts as delivery")
		}
		if o.Err != nil {
			if !strings.Contains(o.Err.Error(), "certificate") {
				t.Errorf("%v", o.Err)
			}
			break
		}
	}
	other := sinkFrom(t, fmt.Sprintf("type: syslog\naddress: %s\ntls: {ca: %s}", c.Addr(), a.file))
	if o, _ := send(t, other, batch); o.Err == nil || !strings.Contains(o.Err.Error(), "server_name") {
		t.Errorf("a certificate of another name: %+v", o)
	}
}

// TestHangs: a receiver that accepts and says nothing costs a timeout, not more.
func TestHangs(t *testing.T) {
	l := listen(t)
	defer func() { _ = l.Close() }()
	for _, kind := range []string{"syslog", "relp"} {
		target := sinkFrom(t, "type: "+kind+"\ntimeout: 200ms\naddress: "+l.Addr().String())
		began := time.Now()
		o, _ := send(t, target, records(target, 1))
		if o.Err == nil || o.Done != 0 || time.Since(began) > 10*time.Second {
			t.Errorf("%s: %+v after %v", kind, o, time.Since(began))
		}
	}
}

// TestProxies: through HTTP CONNECT with a login, and what a refusal says.
// TestReceiverThatReadsNothing: once the socket takes no more, a write ends by its own
// deadline.
func TestReceiverThatReadsNothing(t *testing.T) {
	l := listen(t)
	defer func() { _ = l.Close() }()
	held := make(chan net.Conn, 1)
	go func() {
		if conn, err := l.Accept(); err == nil {
			held <- conn
		}
	}()
	target := sinkFrom(t, "type: syslog\ntransport: tcp\ntimeout: 300ms\naddress: "+l.Addr().String())
	defer func() { _ = target.Sink.Close() }()
	batch := records(target, 64)
	for i := range batch {
		batch[i].Body = bytes.Repeat([]byte("x"), 64<<10)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range 100 {
		o := target.Sink.Send(ctx, batch)
		if o.Err == nil {
			continue
		}
		if ctx.Err() != nil || !errors.Is(o.Err, os.ErrDeadlineExceeded) || o.Done != 0 {
			t.Errorf("%+v, %v", o, ctx.Err())
		}
		_ = (<-held).Close()
		return
	}
	t.Error("a receiver that reads nothing took all")
}

func TestProxies(t *testing.T) {
	c := collect(t, listen(t))
	at, _ := httpProxy(t)
	config := "type: syslog\ntransport: tcp\naddress: " + c.Addr().String() + "\nproxy: http://%s@" + at
	target := sinkFrom(t, fmt.Sprintf(config, "user:word"))
	deliver(t, target, records(target, 2))
	c.messages(t, 2)
	target = sinkFrom(t, fmt.Sprintf(config, "user:wrong"))
	if o, _ := send(t, target, records(target, 1)); o.Err == nil || !strings.Contains(o.Err.Error(), "407") {
		t.Errorf("%+v", o)
	}
}

// httpProxy starts a proxy for the user "user" with the password "word", and returns its
// address and how often it was used.
func httpProxy(t *testing.T) (string, *atomic.Int64) {
	t.Helper()
	l := listen(t)
	t.Cleanup(func() { _ = l.Close() })
	used := &atomic.Int64{}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				break
			}
			used.Add(1)
			go connectProxy(conn)
		}
	}()
	return l.Addr().String(), used
}

// TestReceiverSpeaksFirst: what comes with the proxy's answer is the receiver's.
func TestReceiverSpeaksFirst(t *testing.T) {
	l := listen(t)
	defer func() { _ = l.Close() }()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = http.ReadRequest(bufio.NewReader(conn))
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\nINFO of the receiver")
		_ = conn.Close()
	}()
	via, err := proxyURL("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := (&link{address: "nats.example.org:4222", proxy: via, timeout: defaultTimeout}).open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if b, err := io.ReadAll(conn); string(b) != "INFO of the receiver" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}

// connectProxy serves one CONNECT with Basic user:word.
func connectProxy(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	first, _ := in.ReadString('\n')
	allowed := false
	for {
		line, err := in.ReadString('\n')
		if err != nil || strings.TrimSpace(line) == "" {
			break
		}
		allowed = allowed || strings.Contains(line, "Proxy-Authorization: Basic dXNlcjp3b3Jk")
	}
	if !allowed {
		_, _ = io.WriteString(conn, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
		return
	}
	far, err := net.Dial("tcp", strings.Fields(first)[1])
	if err != nil {
		return
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(conn, far) }()
	_, _ = io.Copy(far, in)
	_ = far.Close()
}

// TestRELP: answers settle messages, in order; a session that breaks leaves the rest.
func TestRELP(t *testing.T) {
	l := listen(t)
	defer func() { _ = l.Close() }()
	s := &relpServer{breakAfter: 150, refuse: 7}
	go s.serve(l)
	target := sinkFrom(t, "type: relp\nplain: true\naddress: "+l.Addr().String())
	batch := records(target, 300)
	refused := deliver(t, target, batch)
	if len(refused) != 1 || !strings.HasPrefix(refused[0], "7: ") {
		t.Errorf("refused %v", refused)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[string]bool{}
	for _, m := range s.got {
		msg, err := rfc5424.NewParser().Parse([]byte(m))
		if err != nil {
			t.Fatal(err)
		}
		seen[(*msg.(*rfc5424.SyslogMessage).StructuredData)["telltale@32473"]["id"]] = true
	}
	for i := range batch {
		if !seen[batch[i].Alert.ID] {
			t.Errorf("alert %d is missing", i+1)
		}
	}
	if s.sessions < 2 {
		t.Error("the session did not break")
	}
}

// relpServer speaks RELP version 0.
type relpServer struct {
	mu         sync.Mutex
	got        []string
	sessions   int
	breakAfter int // messages after which the first session breaks
	refuse     int // this message is refused
}

func (s *relpServer) serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.sessions++
		first := s.sessions == 1
		s.mu.Unlock()
		s.session(conn, first)
	}
}

func (s *relpServer) session(conn net.Conn, first bool) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for n := 0; ; {
		var txnr, size int
		var command string
		if _, err := fmt.Fscan(in, &txnr, &command, &size); err != nil {
			return
		}
		b := make([]byte, size+1)
		if size == 0 {
			b = b[:1]
		} else if _, err := in.ReadByte(); err != nil {
			return
		}
		if _, err := io.ReadFull(in, b); err != nil {
			return
		}
		switch command {
		case "open":
			reply := "200 OK\nrelp_version=0\nrelp_software=test\ncommands=syslog"
			_, _ = fmt.Fprintf(conn, "%d rsp %d %s\n", txnr, len(reply), reply)
		case "close":
			_, _ = fmt.Fprintf(conn, "%d rsp 0\n0 serverclose 0\n", txnr)
			return
		case "syslog":
			n++
			if first && n > s.breakAfter {
				return
			}
			answer := "200 OK"
			if n == s.refuse && first {
				answer = "500 no"
			}
			s.mu.Lock()
			s.got = append(s.got, string(b[:size]))
			s.mu.Unlock()
			_, _ = fmt.Fprintf(conn, "%d rsp %d %s\n", txnr, len(answer), answer)
		}
	}
}

var _ alert.Sink = (*syslogSink)(nil)
