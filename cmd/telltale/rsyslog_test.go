package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	random "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// killable is a receiver that is a process of its own.
type killable struct {
	t       testing.TB
	addr    string
	command func() *exec.Cmd
	running *exec.Cmd
	log     bytes.Buffer
}

// start runs it until it listens.
func (k *killable) start() {
	for range 20 {
		k.log.Reset()
		k.running = k.command()
		k.running.Stdout, k.running.Stderr = &k.log, &k.log
		if err := k.running.Start(); err != nil {
			k.t.Error(err)
			return
		}
		for range 100 {
			time.Sleep(30 * time.Millisecond)
			if c, err := net.Dial("tcp", k.addr); err == nil {
				_ = c.Close()
				return
			}
		}
		k.kill()
	}
	k.t.Errorf("%v does not listen on %s: %s", k.running.Args, k.addr, k.log.String())
}

func (k *killable) kill() {
	_ = k.running.Process.Kill()
	_ = k.running.Wait()
}

// freeAddr returns an address that nobody listens on.
func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// rsyslogd runs the real collector with an input; what it takes is in the returned file
// before it is acknowledged. Nil without rsyslogd.
func rsyslogd(t testing.TB, input func(port string) string) (k *killable, out string) {
	t.Helper()
	path, err := exec.LookPath("rsyslogd")
	if err != nil {
		path = "/usr/sbin/rsyslogd"
	}
	if _, err := os.Stat(path); err != nil {
		return nil, ""
	}
	dir, addr := t.TempDir(), freeAddr(t)
	out = filepath.Join(dir, "out")
	conf, pid := filepath.Join(dir, "rsyslog.conf"), filepath.Join(dir, "pid")
	_, port, _ := net.SplitHostPort(addr)
	k = &killable{t: t, addr: addr, command: func() *exec.Cmd {
		text := fmt.Sprintf(`global(workDirectory="%s" maxMessageSize="64k")
main_queue(queue.type="Direct")
template(name="raw" type="string" string="%%msg%%\n")
%s
ruleset(name="in" queue.type="Direct") { action(type="omfile" file="%s" template="raw") }
`, dir, input(port), out)
		_ = os.Remove(pid) // of the one that was killed
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Error(err)
		}
		return exec.Command(path, "-n", "-f", conf, "-i", pid)
	}}
	k.start()
	t.Cleanup(k.kill)
	return k, out
}

// rsyslogRows reads what the collector wrote, once it writes no more.
func rsyslogRows(t *testing.T, path string) (rows []ledgerRow) {
	t.Helper()
	for last := int64(-1); ; time.Sleep(500 * time.Millisecond) {
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if st.Size() == last {
			break
		}
		last = st.Size()
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		rows = append(rows, nativeRow(t, strings.TrimPrefix(line, " ")))
	}
	return rows
}

// relpReceiver is rsyslogd by RELP.
func relpReceiver(t *testing.T) *receiver {
	k, out := rsyslogd(t, func(port string) string {
		return `module(load="imrelp")
input(type="imrelp" port="` + port + `" ruleset="in")`
	})
	if k == nil {
		return nil
	}
	g := newGate(t, k.addr)
	return &receiver{
		name: "relp", entry: fmt.Sprintf(`{name: relp, type: relp, plain: true, timeout: 2s, address: %q}`, g.addr),
		received: func(t *testing.T) []ledgerRow { return rsyslogRows(t, out) },
		disturb: func(r *random.Rand) func() {
			return g.disturb(r, func(*random.Rand) func() { k.kill(); return k.start })
		},
	}
}

// tlsReceiver is rsyslogd by syslog over TLS, each side with a certificate. It does not
// acknowledge.
func tlsReceiver(t *testing.T) *receiver {
	cert, key := selfSigned(t, "siem.test", "sensor.test")
	peer := "sensor.test"
	k, out := rsyslogd(t, func(port string) string {
		return fmt.Sprintf(`global(defaultNetstreamDriverCAFile="%s" defaultNetstreamDriverCertFile="%s" defaultNetstreamDriverKeyFile="%s")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/name" PermittedPeer=["%s"])
input(type="imtcp" port="%s" ruleset="in")`, cert, cert, key, peer, port)
	})
	if k == nil {
		return nil
	}
	g := newGate(t, k.addr)
	restart := func(name string) { k.kill(); peer = name; k.start() }
	return &receiver{
		name: "tls", lossy: true,
		entry:    fmt.Sprintf(`{name: tls, type: syslog, timeout: 2s, address: %q, tls: {ca: %s, cert: %s, key: %s, server_name: siem.test}}`, g.addr, cert, cert, key),
		received: func(t *testing.T) []ledgerRow { return rsyslogRows(t, out) },
		disturb: func(r *random.Rand) func() {
			return g.disturb(r, func(r *random.Rand) func() {
				if r.IntN(2) == 0 {
					k.kill()
					return k.start
				}
				restart("somebody.else") // refuses our certificate
				return func() { restart("sensor.test") }
			})
		},
	}
}

// selfSigned writes a certificate for names, which is its own authority, and its key.
func selfSigned(t testing.TB, names ...string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotAfter: time.Now().Add(3 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
