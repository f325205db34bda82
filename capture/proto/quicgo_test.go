package proto

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"telltale/capture"
)

// quicGoDatagrams returns the first n datagrams that quic-go sends to a server that
// stays silent.
func quicGoDatagrams(t *testing.T, version quic.Version, config *tls.Config, n int) (datagrams [][]byte) {
	t.Helper()
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Skipf("no loopback: %v", err)
	}
	defer func() { _ = server.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		// It fails when it is cancelled.
		_, _ = quic.DialAddr(ctx, server.LocalAddr().String(), config, &quic.Config{Versions: []quic.Version{version}})
	}()
	defer func() { cancel(); <-done }()
	for range n {
		if err := server.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1<<16)
		size, _, err := server.ReadFrom(b)
		if err != nil {
			t.Fatalf("waiting for datagram %d: %v", len(datagrams), err)
		}
		datagrams = append(datagrams, b[:size])
	}
	return datagrams
}

// TestQUICGoDifferential reads what quic-go sends, which scrambles its hellos.
func TestQUICGoDifferential(t *testing.T) {
	for _, version := range []quic.Version{quic.Version1, quic.Version2} {
		for name, curves := range map[string][]tls.CurveID{"post-quantum": nil, "classic": {tls.X25519}} {
			t.Run(version.String()+" "+name, func(t *testing.T) {
				config := &tls.Config{ServerName: "Quic-Go.Example", NextProtos: []string{"h3", "doq"}, CurvePreferences: curves}
				// Two carry the hello; the ones behind are retransmissions.
				datagrams := quicGoDatagrams(t, version, config, 3)
				var c QUICClient
				var log capture.Log
				var got []QUICStatus
				for _, b := range datagrams {
					if v, _, ok := QUICInitialID(b); !IsQUICLong(b) || !ok || v != uint32(version) {
						t.Errorf("a datagram is taken for version %#x, Initial %v, long header %v", v, ok, IsQUICLong(b))
					}
					got = append(got, c.Datagram(b, &log))
				}
				if log.Len() != 1 || !slices.Contains(got, QUICHello) || slices.Contains(got, QUICSealed) {
					t.Fatalf("%d observations, statuses %d", log.Len(), got)
				}
				o := log.At(0)
				if string(o.Name) != "quic-go.example" || o.TLS.Version != tls.VersionTLS13 || o.TLS.QUICVersion != uint32(version) {
					t.Errorf("observation %q %+v", o.Name, o.TLS)
				}
				if len(o.TLS.ALPN) != 2 || string(o.TLS.ALPN[0]) != "h3" || string(o.TLS.ALPN[1]) != "doq" {
					t.Errorf("ALPN %q", o.TLS.ALPN)
				}
			})
		}
	}
}
