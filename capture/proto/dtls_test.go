package proto

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket/layers"

	"telltale/capture"
)

// dtlsMessage returns the body of a ClientHello for name as DTLS of the given version
// sends it, with a cookie.
func dtlsMessage(tb testing.TB, name, cookie string, version uint16) []byte {
	tb.Helper()
	b := tlsMakeHello(tb, &tls.Config{ServerName: name, NextProtos: []string{"coap"}, MaxVersion: tls.VersionTLS12})[tlsRecordHeader+tlsHandshakeHeader:]
	at := 2 + 32 + 1 + int(b[34])
	b = slices.Concat(b[:at], []byte{byte(len(cookie))}, []byte(cookie), b[at:])
	binary.BigEndian.PutUint16(b, version)
	return b
}

// dtlsPart returns a record with the bytes lo to hi of message number sequence.
func dtlsPart(message []byte, sequence uint16, lo, hi int) []byte {
	word := func(n int) []byte { return []byte{byte(n >> 16), byte(n >> 8), byte(n)} }
	content := slices.Concat([]byte{tlsClientHello}, word(len(message)), binary.BigEndian.AppendUint16(nil, sequence), word(lo), word(hi-lo), message[lo:hi])
	head := []byte{tlsHandshake, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, byte(lo)}
	return slices.Concat(head, binary.BigEndian.AppendUint16(nil, uint16(len(content))), content)
}

// dtlsRead feeds datagrams to one client and returns the statuses and the names.
func dtlsRead(c *DTLSClient, datagrams ...[]byte) (got []Status, names []string) {
	var log capture.Log
	for _, b := range datagrams {
		got = append(got, c.Datagram(b, &log))
	}
	c.Flush(&log)
	for i := range log.Len() {
		names = append(names, string(log.At(i).Name))
	}
	return got, names
}

func TestDTLSVersions(t *testing.T) {
	for _, c := range []struct {
		legacy  uint16
		offered string // supported_versions
		want    uint16
		ja4     string
	}{
		{0xfeff, "", 0xfeff, "dd1d"},
		{0xfefd, "", 0xfefd, "dd2d"},
		{0xfefd, "\x06\xfe\xfc\xfe\xfd\xfe\xff", 0xfefc, "dd3d"},
		{0xfefd, "\x06\x7a\x7a\xfe\xff\xfe\xfd", 0xfefd, "dd2d"},
		{dtlsOld, "", dtlsOld, "d00d"},
	} {
		extensions := []tlsExtension{tlsHostNames("dtls.example")}
		if c.offered != "" {
			extensions = append(extensions, tlsExtension{tlsSupportedVersions, c.offered})
		}
		b := tlsCraft("", extensions...)[tlsRecordHeader+tlsHandshakeHeader:]
		b = slices.Concat(b[:35], []byte{0}, b[35:])
		binary.BigEndian.PutUint16(b, c.legacy)
		var log capture.Log
		if s := new(DTLSClient).Datagram(dtlsPart(b, 0, 0, len(b)), &log); s != Done || log.Len() != 1 {
			t.Fatalf("version %#x: status %d, %d observations", c.legacy, s, log.Len())
		}
		o := log.At(0)
		if string(o.Name) != "dtls.example" || o.Proto != capture.ProtoDTLS || o.Transport != 17 || o.TLS.Version != c.want || string(o.TLS.JA4[:4]) != c.ja4 {
			t.Errorf("version %#x: %s %q version %#x ja4 %s", c.legacy, o.Proto, o.Name, o.TLS.Version, o.TLS.JA4)
		}
	}
}

// TestDTLSFragments sends a hello in fragments of any size, shuffled, overlapping,
// doubled, several a datagram or a record, and compares with the hello in one piece.
func TestDTLSFragments(t *testing.T) {
	message := dtlsMessage(t, "fragments.example", "", 0xfefd)
	var whole capture.Log
	new(DTLSClient).Datagram(dtlsPart(message, 0, 0, len(message)), &whole)
	r := rand.New(rand.NewPCG(3, 4))
	var c DTLSClient
	for round := range 200 {
		var parts [][]byte
		for lo, step := 0, 20+r.IntN(len(message)); lo < len(message); lo += step {
			hi := min(len(message), lo+step+r.IntN(10))
			parts = append(parts, dtlsPart(message, 0, lo, hi))
			if r.IntN(3) == 0 {
				parts = append(parts, parts[len(parts)-1])
			}
		}
		r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		c.Reset()
		var log capture.Log
		done := false
		for len(parts) > 0 && !done {
			n := 1 + r.IntN(len(parts))
			done = c.Datagram(bytes.Join(parts[:n], nil), &log) == Done
			parts = parts[n:]
		}
		if !done || log.Len() != 1 {
			t.Fatalf("round %d: done %v, %d observations", round, done, log.Len())
		}
		if d := cmp.Diff(whole.At(0).TLS, log.At(0).TLS); d != "" {
			t.Fatalf("round %d (-want +got):\n%s", round, d)
		}
	}
}

func TestDTLSDatagrams(t *testing.T) {
	first := dtlsMessage(t, "dtls.example", "", 0xfefd)
	second := slices.Concat(first[:34], first[34:35+int(first[34])], []byte{4}, []byte("cook"), first[36+int(first[34]):])
	whole := dtlsPart(first, 0, 0, len(first))
	lo, hi := dtlsPart(first, 0, 0, 100), dtlsPart(first, 0, 100, len(first))
	change := func(b []byte, at int, v byte) []byte { b = bytes.Clone(b); b[at] = v; return b }
	tests := []struct {
		name      string
		datagrams [][]byte
		want      []Status
		names     []string
	}{
		{"whole", [][]byte{whole}, []Status{Done}, []string{"dtls.example"}},
		{"other records behind", [][]byte{slices.Concat(whole, []byte{20, 0xfe, 0xfd, 0, 0})}, []Status{Done}, []string{"dtls.example"}},
		{"CAPWAP", [][]byte{slices.Concat([]byte{1, 0, 0, 0}, whole)}, []Status{Done}, []string{"dtls.example"}},
		{"the second begins anew", [][]byte{lo, dtlsPart(second, 1, 100, len(second)), dtlsPart(second, 1, 0, 100)}, []Status{Incomplete, Incomplete, Done}, []string{"dtls.example"}},
		{"last part lost", [][]byte{dtlsPart(first, 0, 0, len(first)-4)}, []Status{Incomplete}, []string{"dtls.example"}},
		{"first part lost", [][]byte{hi}, []Status{Incomplete}, nil},
		{"cut short", [][]byte{whole[:len(whole)-3]}, []Status{Incomplete}, []string{"dtls.example"}},
		{"cut in the header", [][]byte{whole[:20]}, []Status{Reject}, nil},
		{"encrypted", [][]byte{change(whole, 4, 1)}, []Status{Reject}, nil},
		{"a ServerHello", [][]byte{change(whole, dtlsRecordHeader, 2)}, []Status{Reject}, nil},
		{"another version", [][]byte{change(whole, 2, 0xf0)}, []Status{Reject}, nil},
		{"a fragment beyond the end", [][]byte{change(whole, dtlsRecordHeader+8, 9)}, []Status{Reject}, nil},
		{"too long a message", [][]byte{change(whole, dtlsRecordHeader+1, 1)}, []Status{Reject}, nil},
		{"nothing", [][]byte{nil}, []Status{Reject}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, names := dtlsRead(new(DTLSClient), tt.datagrams...)
			if !slices.Equal(got, tt.want) || !slices.Equal(names, tt.names) {
				t.Errorf("statuses %d, names %q; want %d, %q", got, names, tt.want, tt.names)
			}
			if b := tt.datagrams[0]; IsDTLSHello(b) != (tt.want[0] != Reject) {
				t.Errorf("IsDTLSHello is %v", IsDTLSHello(b))
			}
		})
	}
	var a, b DTLSClient
	dtlsRead(&a, whole)
	dtlsRead(&b, dtlsPart(second, 1, 0, len(second)))
	if a.Random() == 0 || a.Random() != b.Random() {
		t.Errorf("randoms %#x and %#x of the two hellos of one handshake", a.Random(), b.Random())
	}
}

func TestDTLSDenial(t *testing.T) {
	alert := "\x15\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x01\x00\x02\x02\x28"
	if !IsDTLSDenial([]byte(alert)) {
		t.Error("a fatal alert is none")
	}
	for _, b := range []string{"", alert[:14], "\x15\x03\x03\x00\x02\x02\x28", alert[:13] + "\x01\x00", alert[:4] + "\x01" + alert[5:]} {
		if IsDTLSDenial([]byte(b)) {
			t.Errorf("%q is a fatal alert", b)
		}
	}
}

// TestDTLSCaptures holds the hellos of the captures that have some against their
// expected values.
func TestDTLSCaptures(t *testing.T) {
	for _, name := range []string{"merc_emix", "ndpi42_anyconnect-vpn"} {
		oracle := tlsReadOracle(t, filepath.Join(tlsCaptures(t), name+".oracle.json"))
		if len(oracle.DTLS) == 0 {
			t.Errorf("%s: no hellos expected", name)
		}
		var found []tlsFound
		for _, s := range tlsReadCapture(t, name) {
			if s.transport != layers.LayerTypeUDP || !IsDTLSHello(s.payload) {
				continue
			}
			var log capture.Log
			if new(DTLSClient).Datagram(s.payload, &log) == Done {
				found = append(found, tlsFound{s.tlsFlow, string(log.At(0).Name), tlsClone(log.At(0).TLS)})
			}
		}
		for _, want := range oracle.DTLS {
			i := slices.IndexFunc(found, func(f tlsFound) bool { return f.is(&want) })
			if i < 0 {
				t.Errorf("%s: frame %d not found", name, want.Frame)
				continue
			}
			tlsCheckHello(t, name, &found[i].hello, &want)
		}
		for _, f := range found {
			if !slices.ContainsFunc(oracle.DTLS, func(h tlsOracleHello) bool { return f.is(&h) }) {
				t.Errorf("%s: %v %q was not expected", name, f.flow, f.name)
			}
		}
	}
}

func TestDTLSAllocatesNothing(t *testing.T) {
	message := dtlsMessage(t, "alloc.example", "", 0xfefd)
	parts := [][]byte{dtlsPart(message, 0, 100, len(message)), dtlsPart(message, 0, 0, 100)}
	var c DTLSClient
	var log capture.Log
	turn := func() {
		log.Reset()
		c.Reset()
		for _, b := range parts {
			if IsDTLSHello(b) {
				c.Datagram(b, &log)
			}
		}
	}
	turn()
	if n := testing.AllocsPerRun(100, turn); n != 0 || log.Len() != 1 {
		t.Errorf("%v allocations, %d observations", n, log.Len())
	}
}

// FuzzDTLS reads any two datagrams: at most one Observation a datagram, with Done and
// only then; what begins with no hello is rejected; Flush reports no more than one.
func FuzzDTLS(f *testing.F) {
	message := dtlsMessage(f, "fuzz.example", "cookie", 0xfefd)
	f.Add(dtlsPart(message, 0, 0, len(message)), []byte{})
	f.Add(dtlsPart(message, 0, 0, 100), dtlsPart(message, 0, 90, len(message)))
	f.Add(dtlsPart(message, 0, 0, 100), dtlsPart(message, 1, 0, len(message)))
	f.Add(slices.Concat([]byte{1, 0, 0, 0}, dtlsPart(message, 0, 10, 100), dtlsPart(message, 0, 0, 10)), []byte("\x15\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x01\x00\x02\x02\x28"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var c DTLSClient
		var log capture.Log
		for _, d := range [][]byte{a, b} {
			before := log.Len()
			s := c.Datagram(d, &log)
			if (s == Done) != (log.Len() == before+1) {
				t.Fatalf("status %d with %d observations", s, log.Len()-before)
			}
			if s != Reject && !IsDTLSHello(d) {
				t.Fatalf("status %d of what is no hello: %x", s, d)
			}
			IsDTLSDenial(d)
		}
		before := log.Len()
		if c.Flush(&log) != (log.Len() == before+1) || len(c.body.data) > quicMaxCrypto {
			t.Fatalf("Flush: %d observations, %d bytes kept", log.Len()-before, len(c.body.data))
		}
	})
}
