package proto

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"telltale/capture"
)

func x509Template(common string, names ...string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
		Subject: pkix.Name{CommonName: common, Organization: []string{"Test"}}, DNSNames: names,
	}
}

// x509Make returns a self-signed certificate.
func x509Make(tb testing.TB, template *x509.Certificate) tls.Certificate {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// tlsServerFlight returns what a server of crypto/tls sends first, up to the end of its
// certificate and what comes in the same write.
func tlsServerFlight(tb testing.TB, config *tls.Config) []byte {
	tb.Helper()
	a, b := net.Pipe()
	defer func() { _ = b.Close() }()
	go func() { _ = tls.Server(a, config).HandshakeContext(context.Background()) }()
	got := make(chan []byte)
	go func() {
		tee := &tlsTee{Conn: b}
		_ = tls.Client(tee, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10}).HandshakeContext(context.Background())
		got <- tee.read
	}()
	return <-got
}

type tlsTee struct {
	net.Conn
	read []byte
}

func (t *tlsTee) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	t.read = append(t.read, b[:n]...)
	return n, err
}

// TestX509LikeGo holds names of certificates against crypto/x509.
func TestX509LikeGo(t *testing.T) {
	many := make([]string, 300)
	for i := range many {
		many[i] = fmt.Sprintf("n%d.example", i)
	}
	bare := x509Template("")
	bare.Subject = pkix.Name{}
	mixed := x509Template("mixed.example", "b.example")
	mixed.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1)}
	mixed.EmailAddresses = []string{"a@example"}
	for name, c := range map[string]*x509.Certificate{
		"common name":   x509Template("www.kaspersky.com"),
		"names":         x509Template("A.Example", "a.example", "*.b.example", "C.example."),
		"no host":       x509Template("Some Router 3000"),
		"nothing":       bare,
		"many":          x509Template("many.example", many...),
		"other general": mixed,
	} {
		t.Run(name, func(t *testing.T) {
			der := x509Make(t, c).Certificate[0]
			want, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			var log capture.Log
			x509Read(der, &log)
			if log.Len() != 1 {
				t.Fatalf("%d observations", log.Len())
			}
			o := log.At(0)
			var names []string
			for _, n := range o.Cert.Names {
				names = append(names, string(n))
			}
			var dns []string
			for _, n := range want.DNSNames[:min(len(want.DNSNames), x509MaxNames)] {
				dns = append(dns, strings.TrimSuffix(strings.ToLower(n), "."))
			}
			if !slices.Equal(names, dns) || o.Cert.More != (len(want.DNSNames) > x509MaxNames) {
				t.Errorf("names %q, more %v; want %q", names, o.Cert.More, dns)
			}
			if string(o.Cert.Subject) != want.Subject.CommonName {
				t.Errorf("subject %q, want %q", o.Cert.Subject, want.Subject.CommonName)
			}
			if org := strings.Join(want.Subject.Organization, " "); string(o.Cert.Org) != org {
				t.Errorf("organisation %q, want %q", o.Cert.Org, org)
			}
			switch first := string(o.Name); {
			case len(dns) > 0 && first != dns[0]:
				t.Errorf("name %q, want %q", first, dns[0])
			case len(dns) == 0 && first != "" && first != strings.ToLower(want.Subject.CommonName):
				t.Errorf("name %q of subject %q", first, want.Subject.CommonName)
			case name == "no host" && first != "":
				t.Errorf("name %q", first)
			}
		})
	}
}

// TestTLSCertificateVersions: up to TLS 1.2 the certificate is seen, in TLS 1.3 the
// flight ends with its ServerHello.
func TestTLSCertificateVersions(t *testing.T) {
	cert := x509Make(t, x509Template("cert.example", "cert.example"))
	for version, want := range map[uint16]int{tls.VersionTLS10: 1, tls.VersionTLS11: 1, tls.VersionTLS12: 1, tls.VersionTLS13: 0} {
		b := tlsServerFlight(t, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: version, Certificates: []tls.Certificate{cert}})
		var log capture.Log
		if n, s := tlsParseServer(b, false, &log); s != Done || n == 0 || log.Len() != want {
			t.Errorf("%s: parse returned %d, %d with %d observations, want %d", tls.VersionName(version), n, s, log.Len(), want)
		}
	}
}

// TestTLSCertificateAnyCut: the flight in records of any size, seen up to any byte, is
// waited for until the certificate is whole, and then gives the same Observation.
func TestTLSCertificateAnyCut(t *testing.T) {
	cert := x509Make(t, x509Template("cert.example", "cert.example", "*.b.example"))
	flight := tlsServerFlight(t, &tls.Config{MaxVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}})
	var messages []byte
	for at := 0; ; {
		fragment, next, s := tlsFragment(flight, at)
		if s != Done {
			break
		}
		messages, at = append(messages, fragment...), next
	}
	whole := append(make([]byte, tlsRecordHeader), messages...)
	var want capture.Log
	if _, s := tlsParseServer(flight, false, &want); s != Done || want.Len() != 1 {
		t.Fatalf("status %d with %d observations", s, want.Len())
	}
	end := bytes.Index(messages, cert.Certificate[0]) + len(cert.Certificate[0])
	for _, size := range []int{1, 3, 50, 255, len(messages)} {
		b := tlsSplit(whole, size, false)
		var log capture.Log
		for n := range b {
			have := n/(size+tlsRecordHeader)*size + max(0, n%(size+tlsRecordHeader)-tlsRecordHeader)
			log.Reset()
			_, s := tlsParseServer(b[:n], false, &log)
			if done := have >= end; (s == Done) != done || (log.Len() == 1) != done {
				t.Fatalf("records of %d, %d bytes (%d of messages, certificate ends at %d): status %d with %d observations", size, n, have, end, s, log.Len())
			}
			if s == Done {
				if diff := cmp.Diff(want.At(0), log.At(0), cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
					t.Fatal(diff)
				}
			}
		}
	}
}

func TestX509Allocates(t *testing.T) {
	cert := x509Make(t, x509Template("cert.example", "cert.example", "*.b.example", "c.example"))
	flight := tlsServerFlight(t, &tls.Config{MaxVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}})
	for name, b := range map[string][]byte{"whole": flight, "spread": tlsSplit(flight, 100, false), "cut": flight[:300]} {
		var log capture.Log
		if got := testing.AllocsPerRun(100, func() {
			log.Reset()
			tlsParseServer(b, false, &log)
		}); got != 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

// FuzzX509 checks that no bytes make the reader fail, and that a certificate that
// crypto/x509 accepts has the same names here.
func FuzzX509(f *testing.F) {
	for _, c := range []*x509.Certificate{x509Template("a.example"), x509Template("x y", "a.example", "*.b.example")} {
		f.Add(x509Make(f, c).Certificate[0])
	}
	for _, der := range x509Captured(f) {
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		var log capture.Log
		x509Read(der, &log)
		want, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		if log.Len() != 1 {
			t.Fatal("crypto/x509 reads this certificate")
		}
		o := log.At(0)
		for i, n := range want.DNSNames[:min(len(want.DNSNames), x509MaxNames)] {
			if len(n) == 0 || len(n) > httpMaxHost {
				return
			}
			if got := string(o.Cert.Names[i]); got != string(AppendHost(nil, []byte(n))) {
				t.Fatalf("name %d is %q, crypto/x509 says %q", i, got, n)
			}
		}
	})
}

// x509Captured returns beginnings of certificates out of real captures.
func x509Captured(tb testing.TB) (list [][]byte) {
	tb.Helper()
	for _, p := range captured(tb, "sv_tls-subjectaltname", "ndpi_pop3_stls", "merc_top-https") {
		if at := bytes.Index(p, []byte{0x30, 0x82}); at >= 0 && len(list) < 20 {
			list = append(list, p[at:])
		}
	}
	return list
}
