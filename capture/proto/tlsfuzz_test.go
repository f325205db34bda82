package proto

import (
	"bytes"
	"crypto/tls"
	"testing"

	"telltale/capture"
)

// FuzzClientHello checks what holds for any bytes: what is consumed lies within them,
// one Observation comes with Done and none without, a verdict reached before the last
// byte stays the same with more bytes, and the match does not refuse what is parsed,
// but for an empty record in front.
func FuzzClientHello(f *testing.F) {
	hello := tlsMakeHello(f, &tls.Config{ServerName: "fuzz.example", NextProtos: []string{"h2"}})
	f.Add(hello, []byte{0x14, 3, 3})
	f.Add(tlsSplit(hello, 50, true), []byte{})
	f.Add(hello[:200], hello[200:])
	f.Add(tlsCraft("\x00\x2b\xff", tlsHostNames("a.example"), tlsExtension{tlsECH, "\x00\x00\x01\x00\x01"}), []byte{})
	f.Add(tlsManyHello(), []byte{})
	f.Add(append([]byte{tlsHandshake, 3, 0x20}, hello[3:]...), []byte{}) // no such version
	f.Add([]byte("\x80\x1c\x01\x03\x01\x00\x03\x00\x00\x00\x10\x00\x00\x2f0123456789abcdef"), []byte{})
	f.Fuzz(func(t *testing.T, b, more []byte) {
		var log, longer capture.Log
		_, s := tlsCheckParse(t, b, false, &log)
		if s == Done || s == Reject {
			_, later := tlsCheckParse(t, append(bytes.Clone(b), more...), false, &longer)
			if later != s {
				t.Fatalf("status %d became %d with %d more bytes", s, later, len(more))
			}
		}
		if s == Done && !bytes.Equal(log.At(0).Name, longer.At(0).Name) {
			t.Fatalf("name %q became %q", log.At(0).Name, longer.At(0).Name)
		}
		if s == Done && b[3]|b[4] != 0 && tlsMatchClient(b) != Yes {
			t.Fatalf("parsed though the match says %d: %x", tlsMatchClient(b), b)
		}
		log.Reset()
		tlsCheckParse(t, b, true, &log)
	})
}

func tlsCheckParse(t *testing.T, b []byte, last bool, log *capture.Log) (int, Status) {
	t.Helper()
	n, s := tlsParseClient(b, last, log)
	if n < 0 || n > len(b) || (s == Done) != (n > 0) || (s == Done) != (log.Len() == 1) {
		t.Fatalf("parse of %d bytes returned %d, %d with %d observations", len(b), n, s, log.Len())
	}
	return n, s
}

// FuzzServerHello checks that the verdict on the server's bytes lies within them, that
// it stays with more bytes, where Answered may become Done, and that a certificate comes
// with Done only.
func FuzzServerHello(f *testing.F) {
	f.Add([]byte("\x16\x03\x03\x00\x31\x02\x00\x00\x2d\x03\x03"), []byte{0})
	f.Add([]byte("\x15\x03\x01\x00\x02\x01\x70\x15\x03\x03\x00\x02\x02\x28"), []byte{})
	f.Add([]byte("\x16\x03\x03\x00\x01\x02\x16\x03\x03\x00\x05\x00\x00\x2d\x03\x03"), []byte{})
	flight := tlsServerFlight(f, &tls.Config{MaxVersion: tls.VersionTLS12, Certificates: []tls.Certificate{x509Make(f, x509Template("fuzz.example"))}})
	f.Add(flight, []byte{})
	f.Add(flight[:200], flight[200:])
	f.Add(tlsSplit(flight, 100, true), []byte{0x14, 3, 3, 0, 1, 1})
	f.Fuzz(func(t *testing.T, b, more []byte) {
		var log capture.Log
		n, s := tlsParseServer(b, false, &log)
		if n < 0 || n > len(b) || (n > 0) != (s == Done || s == Denied) || log.Len() > 1 || s != Done && log.Len() > 0 {
			t.Fatalf("parse of %d bytes returned %d, %d with %d observations", len(b), n, s, log.Len())
		}
		if s != Incomplete {
			_, later := tlsParseServer(append(bytes.Clone(b), more...), false, &log)
			if later != s && !(s == Answered && later == Done) {
				t.Fatalf("status %d became %d with %d more bytes", s, later, len(more))
			}
		}
		if n > 0 && tlsMatchServer(b) != Yes {
			t.Fatalf("status %d though the match says %d", s, tlsMatchServer(b))
		}
	})
}
