package sink

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// rsyslog runs the real collector with this configuration and returns the file that it
// writes messages to.
func rsyslog(t *testing.T, ports []int, config string) (out string) {
	t.Helper()
	path, err := exec.LookPath("rsyslogd")
	if err != nil {
		path = "/usr/sbin/rsyslogd"
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("NOT RUN: rsyslogd is not installed: apt-get install rsyslog rsyslog-gnutls rsyslog-relp")
	}
	dir := t.TempDir()
	out = filepath.Join(dir, "out")
	conf := filepath.Join(dir, "rsyslog.conf")
	text := "global(workDirectory=\"" + dir + "\" maxMessageSize=\"64k\")\n" + config +
		"\ntemplate(name=\"raw\" type=\"string\" string=\"%msg%\\n\")\nruleset(name=\"in\") { action(type=\"omfile\" file=\"" + out + "\" template=\"raw\") }\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, "-n", "-f", conf, "-i", filepath.Join(dir, "pid"))
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	for _, p := range ports {
		for tries := 0; ; tries++ {
			conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", p), time.Second)
			if err == nil {
				_ = conn.Close()
				break
			}
			if tries > 300 {
				t.Fatalf("rsyslogd does not listen on %d:\n%s", p, log.String())
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	return out
}

// freePort returns a port that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	l := listen(t)
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// stored waits until the collector has written n lines.
func stored(t *testing.T, path string, n int) []string {
	t.Helper()
	for range 600 {
		b, _ := os.ReadFile(path)
		if bytes.Count(b, []byte("\n")) >= n {
			return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
		}
		time.Sleep(20 * time.Millisecond)
	}
	b, _ := os.ReadFile(path)
	t.Fatalf("%d lines of %d", bytes.Count(b, []byte("\n")), n)
	return nil
}

// TestRsyslogStreams: TCP with octet counting and RELP into the real collector: every
// message once, as it was sent.
func TestRsyslogStreams(t *testing.T) {
	tcp, relp := freePort(t), freePort(t)
	out := rsyslog(t, []int{tcp, relp}, fmt.Sprintf(`module(load="imtcp")
module(load="imrelp")
input(type="imtcp" port="%d" ruleset="in")
input(type="imrelp" port="%d" ruleset="in")`, tcp, relp))
	for i, config := range []string{
		fmt.Sprintf("type: syslog\ntransport: tcp\naddress: 127.0.0.1:%d", tcp),
		fmt.Sprintf("type: relp\nplain: true\naddress: 127.0.0.1:%d", relp),
	} {
		target := sinkFrom(t, config)
		batch := records(target, 500)
		if refused := deliver(t, target, batch); len(refused) != 0 {
			t.Fatalf("refused %v", refused)
		}
		lines := stored(t, out, 500*(i+1))[500*i:]
		for k := range batch {
			if strings.TrimPrefix(lines[k], " ") != string(batch[k].Body) {
				t.Fatalf("%s\nline %d: %s\nwant %s", config, k, lines[k], batch[k].Body)
			}
		}
	}
}

// TestRsyslogTLS: mutual TLS with the real collector, by the names in the certificates.
func TestRsyslogTLS(t *testing.T) {
	a := newAuthority(t)
	serverCert, serverKey := a.issue(t, "siem.test")
	cert, key := a.issue(t, "sensor.test")
	port := freePort(t)
	out := rsyslog(t, []int{port}, fmt.Sprintf(`global(defaultNetstreamDriverCAFile="%s" defaultNetstreamDriverCertFile="%s" defaultNetstreamDriverKeyFile="%s")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/name" PermittedPeer=["sensor.test"])
input(type="imtcp" port="%d" ruleset="in")`, a.file, serverCert, serverKey, port))
	target := sinkFrom(t, fmt.Sprintf("type: syslog\nformat: cef\naddress: 127.0.0.1:%d\ntls: {ca: %s, server_name: siem.test, cert: %s, key: %s}", port, a.file, cert, key))
	batch := records(target, 200)
	deliver(t, target, batch)
	for k, line := range stored(t, out, 200) {
		if strings.TrimPrefix(line, " ") != string(batch[k].Body) {
			t.Fatalf("line %d: %s\nwant %s", k, line, batch[k].Body)
		}
	}
}

// TestRsyslogUDP: datagrams into the real collector. Nobody acknowledges them, but on a
// host of its own none gets lost, and each is one message.
func TestRsyslogUDP(t *testing.T) {
	tcp := freePort(t)
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := udp.LocalAddr().(*net.UDPAddr).Port
	_ = udp.Close()
	out := rsyslog(t, []int{tcp}, fmt.Sprintf(`module(load="imudp")
module(load="imtcp")
input(type="imudp" address="127.0.0.1" port="%d" ruleset="in")
input(type="imtcp" port="%d" ruleset="in")`, port, tcp))
	for _, kind := range []string{"native", "cef"} {
		target := sinkFrom(t, fmt.Sprintf("type: syslog\ntransport: udp\nformat: %s\naddress: 127.0.0.1:%d", kind, port))
		began := 0
		for range 100 { // it may listen by TCP before it does by UDP
			if b, _ := os.ReadFile(out); len(b) > 0 {
				began = len(stored(t, out, 1))
				break
			}
			deliver(t, target, records(target, 1))
			time.Sleep(50 * time.Millisecond)
		}
		batch := records(target, 100)
		if refused := deliver(t, target, batch); len(refused) != 0 {
			t.Fatalf("refused %v", refused)
		}
		lines := stored(t, out, began+len(batch))[began:]
		for k := range batch {
			if strings.TrimPrefix(lines[k], " ") != string(batch[k].Body) {
				t.Fatalf("%s, line %d: %s\nwant %s", kind, k, lines[k], batch[k].Body)
			}
		}
	}
}
