package flow

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"slices"
	"testing"
	"time"

	"telltale/capture"
)

// tls12Flight returns what a server of Go's own TLS sends up to its certificate, in
// TLS 1.2.
func tls12Flight(t testing.TB, names ...string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
		Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	defer b.Close()
	go func() {
		_ = tls.Server(a, &tls.Config{MaxVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}).Handshake()
	}()
	r := &reads{Conn: b}
	if err := tls.Client(r, &tls.Config{InsecureSkipVerify: true}).Handshake(); err != nil {
		t.Fatal(err)
	}
	return r.got
}

// reads keeps what was read.
type reads struct {
	net.Conn
	got string
}

func (r *reads) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.got += string(b[:n])
	return n, err
}

// TestCertificateOfNamed: a certificate is left out where the hello named the server,
// unless all are asked for; without a name it is always read.
func TestCertificateOfNamed(t *testing.T) {
	for _, c := range []struct {
		name string
		all  bool
		want bool
	}{{"asked.example", false, false}, {"asked.example", true, true}, {"", false, true}} {
		k := newTalk(Config{Details: c.all})
		k.handshake()
		k.send(0, hello(t, c.name))
		flight := tls12Flight(t, "cert.example")
		k.send(1, flight[:300])
		if held := k.t.buffers.held > 0; held != c.want {
			t.Errorf("name %q, all %v: bytes are held: %v", c.name, c.all, held)
		}
		k.send(1, flight[300:])
		found := slices.ContainsFunc(k.end(), func(s seen) bool { return s.Proto == capture.ProtoX509 })
		if found != c.want {
			t.Errorf("name %q, all %v: certificate read: %v", c.name, c.all, found)
		}
	}
}
