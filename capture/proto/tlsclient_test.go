package proto

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/crypto/cryptobyte"

	"telltale/capture"
)

// tlsMakeHello returns the first record that crypto/tls sends with a configuration.
func tlsMakeHello(tb testing.TB, config *tls.Config) []byte {
	tb.Helper()
	client, server := net.Pipe()
	defer func() { _ = server.Close() }()
	go func() {
		// It fails when the pipe is closed: only its first flight is wanted.
		_ = tls.Client(client, config).HandshakeContext(context.Background())
	}()
	b := make([]byte, tlsRecordHeader)
	if _, err := io.ReadFull(server, b); err != nil {
		tb.Fatal(err)
	}
	b = append(b, make([]byte, int(b[3])<<8|int(b[4]))...)
	if _, err := io.ReadFull(server, b[tlsRecordHeader:]); err != nil {
		tb.Fatal(err)
	}
	return b
}

// tlsParseOne parses b as the last bytes of a client and returns its one Observation.
func tlsParseOne(tb testing.TB, b []byte) *capture.Observation {
	tb.Helper()
	log := new(capture.Log)
	if n, s := tlsParseClient(b, true, log); s != Done || n != len(b) || log.Len() != 1 {
		tb.Fatalf("parse returned %d, %d with %d observations, want %d, Done with 1", n, s, log.Len(), len(b))
	}
	return log.At(0)
}

// tlsECHConfig returns an ECHConfigList of one config (RFC 9849 §4).
func tlsECHConfig(tb testing.TB, id uint8, publicName string) []byte {
	tb.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	var b cryptobyte.Builder
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint16(tlsECH)
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint8(id)
			b.AddUint16(0x0020) // DHKEM(X25519, HKDF-SHA256)
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(key.PublicKey().Bytes()) })
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
				b.AddUint16(1) // HKDF-SHA256
				b.AddUint16(1) // AES-128-GCM
			})
			b.AddUint8(0)
			b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(publicName)) })
			b.AddUint16(0)
		})
	})
	return b.BytesOrPanic()
}

// TestTLSClientDifferential reads what crypto/tls sends.
func TestTLSClientDifferential(t *testing.T) {
	tests := []struct {
		name   string
		config *tls.Config
		sni    string
		want   capture.ClientHello
	}{
		{
			name:   "default with post-quantum key share",
			config: &tls.Config{ServerName: "Update.Example.COM"},
			sni:    "update.example.com",
			want:   capture.ClientHello{HasSNI: true, Version: tls.VersionTLS13, Versions: []uint16{tls.VersionTLS13, tls.VersionTLS12}},
		},
		{
			name:   "ALPN",
			config: &tls.Config{ServerName: "a.example", NextProtos: []string{"h2", "http/1.1", "\xab\x00"}},
			sni:    "a.example",
			want: capture.ClientHello{
				HasSNI: true, Version: tls.VersionTLS13, Versions: []uint16{tls.VersionTLS13, tls.VersionTLS12},
				ALPN: [][]byte{[]byte("h2"), []byte("http/1.1"), []byte("\xab\x00")},
			},
		},
		{
			name:   "TLS 1.0 to 1.2",
			config: &tls.Config{ServerName: "old.example", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS12},
			sni:    "old.example",
			want:   capture.ClientHello{HasSNI: true, Version: tls.VersionTLS12, Versions: []uint16{tls.VersionTLS12, tls.VersionTLS11, tls.VersionTLS10}},
		},
		{
			name:   "address instead of a name",
			config: &tls.Config{ServerName: "192.0.2.1", InsecureSkipVerify: true, MinVersion: tls.VersionTLS13},
			want:   capture.ClientHello{Version: tls.VersionTLS13, Versions: []uint16{tls.VersionTLS13}},
		},
		{
			name:   "ECH",
			config: &tls.Config{ServerName: "secret.example", MinVersion: tls.VersionTLS13, EncryptedClientHelloConfigList: tlsECHConfig(t, 77, "public.example")},
			sni:    "public.example",
			want: capture.ClientHello{
				HasSNI: true, Version: tls.VersionTLS13, Versions: []uint16{tls.VersionTLS13},
				ECH: capture.ECH{Present: true, KDF: 1, AEAD: 1, ConfigID: 77},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hello := tlsMakeHello(t, tt.config)
			o := tlsParseOne(t, hello)
			if string(o.Name) != tt.sni {
				t.Errorf("name %q, want %q", o.Name, tt.sni)
			}
			if o.Proto != capture.ProtoTLS || o.Kind != capture.Request || o.Transport != 6 {
				t.Errorf("observation %v %v over %d", o.Proto, o.Kind, o.Transport)
			}
			got := *o.TLS
			if got.JA4[0] != 't' || got.JA4[10] != '_' || got.JA4[23] != '_' {
				t.Errorf("ja4 %q", got.JA4)
			}
			if got.ECH.Present != (got.ECH.PayloadLen > 0) {
				t.Errorf("ECH %+v", got.ECH)
			}
			if got.Ciphers == 0 {
				t.Error("no digest of the cipher suites")
			}
			got.JA4, got.Ciphers, got.ECH.PayloadLen = [36]byte{}, 0, 0
			tt.want.LegacyVersion = tls.VersionTLS12
			tt.want.Length = uint32(len(hello) - tlsRecordHeader)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("hello differs (-want +got):\n%s", diff)
			}
		})
	}
}

// tlsSplit puts the handshake bytes of one record into records of size bytes, each
// behind an empty one if padded.
func tlsSplit(record []byte, size int, padded bool) (b []byte) {
	for part := range slices.Chunk(record[tlsRecordHeader:], size) {
		if padded {
			b = append(b, tlsHandshake, 3, 1, 0, 0)
		}
		b = append(b, tlsHandshake, 3, 1, byte(len(part)>>8), byte(len(part)))
		b = append(b, part...)
	}
	return b
}

// TestTLSRecordsAndSegments checks that the same hello in records of any size, seen
// in segments of any size, gives the same Observation and no earlier verdict.
func TestTLSRecordsAndSegments(t *testing.T) {
	small := tlsMakeHello(t, &tls.Config{ServerName: "split.example", NextProtos: []string{"h2"}, CurvePreferences: []tls.CurveID{tls.X25519}})
	tlsCheckSplits(t, small, []int{1, 2, 3, 4, 5, 7, 64}, []int{1, 5, 536})
	large := tlsMakeHello(t, &tls.Config{ServerName: "split.example", NextProtos: []string{"h2"}})
	tlsCheckSplits(t, large, []int{64, 300, 1400, 1 << 14}, []int{7, 536, 1460})
}

func tlsCheckSplits(t *testing.T, hello []byte, records, segments []int) {
	t.Helper()
	want := tlsParseOne(t, hello)
	for _, record := range records {
		for _, padded := range []bool{false, true} {
			b := tlsSplit(hello, record, padded)
			for _, segment := range segments {
				got := tlsFeed(t, b, segment)
				if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
					t.Fatalf("records of %d (padded %v), segments of %d (-want +got):\n%s", record, padded, segment, diff)
				}
			}
		}
	}
}

// tlsFeed parses b as it grows by segments.
func tlsFeed(t *testing.T, b []byte, segment int) *capture.Observation {
	t.Helper()
	log := new(capture.Log)
	for end := segment; ; end += segment {
		part := b[:min(end, len(b))]
		n, s := tlsParseClient(part, false, log)
		if s == Done && n == len(b) {
			return log.At(0)
		}
		if s != Incomplete || len(part) == len(b) {
			t.Fatalf("%d of %d bytes: parse returned %d, %d", len(part), len(b), n, s)
		}
	}
}

// TestTLSTrailingBytes checks that what follows the hello in another record is not
// consumed, and what follows it in the same record is.
func TestTLSTrailingBytes(t *testing.T) {
	hello := tlsMakeHello(t, &tls.Config{ServerName: "tail.example"})
	log := new(capture.Log)
	n, s := tlsParseClient(append(slices.Clone(hello), 0x14, 3, 3, 0, 1, 1), false, log)
	if n != len(hello) || s != Done {
		t.Errorf("parse returned %d, %d, want %d, Done", n, s, len(hello))
	}
	const more = "another handshake message"
	same := tlsSplit(append(slices.Clone(hello), more...), 1<<14, false)
	log.Reset()
	if n, s := tlsParseClient(same, false, log); n != len(same) || s != Done || int(log.At(0).TLS.Length) != len(hello)-tlsRecordHeader {
		t.Errorf("in one record: parse returned %d, %d, want %d, Done", n, s, len(same))
	}
}
