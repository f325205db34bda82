package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
)

// Frame and stream types of HTTP/3 (RFC 9114 §7.2, §6.2.1).
const (
	frameData     = 0x00
	frameHeaders  = 0x01
	frameSettings = 0x04
	streamControl = 0x00
)

// http3Page is what every request is answered with.
const http3Page = "<!doctype html><title>A page</title><link rel=icon href=data:,><p>A page over QUIC"

// quicPorts are the ports QUIC is served on, by what answers there.
var quicPorts = map[role][]uint16{web: {443, 4433, retryPort}, update: {443}, public: {853}}

// retryPort is where clients must prove their address first (RFC 9000 §8.1.2).
const retryPort = 4434

// serveQUIC serves one page over HTTP/3, QUIC versions 1 and 2.
func serveQUIC(id *identity, failed chan<- error) error {
	conf := &tls.Config{Certificates: []tls.Certificate{id.cert}, NextProtos: []string{"h3", "doq"}}
	for r, ports := range quicPorts {
		for _, addr := range serving(r) {
			for _, port := range ports {
				if err := listenQUIC(netip.AddrPortFrom(addr, port), conf, failed); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func listenQUIC(at netip.AddrPort, conf *tls.Config, failed chan<- error) error {
	socket, err := net.ListenPacket("udp", at.String())
	if err != nil {
		return fmt.Errorf("HTTP/3 server: %w", err)
	}
	transport := &quic.Transport{Conn: socket, VerifySourceAddress: func(net.Addr) bool { return at.Port() == retryPort }}
	l, err := transport.Listen(conf, &quic.Config{Versions: []quic.Version{quic.Version1, quic.Version2}})
	if err != nil {
		return fmt.Errorf("HTTP/3 server: %w", err)
	}
	go func() { report(failed, acceptQUIC(l)) }()
	return nil
}

func acceptQUIC(l *quic.Listener) error {
	for {
		conn, err := l.Accept(context.Background())
		if err != nil {
			return fmt.Errorf("HTTP/3 server: %w", err)
		}
		go serveHTTP3(conn)
	}
}

// serveHTTP3 opens the control stream and answers every request alike. What fails
// here is one client's connection, and that client sees it.
func serveHTTP3(conn *quic.Conn) {
	control, err := conn.OpenUniStream()
	if err != nil {
		return
	}
	settings := quicvarint.Append(nil, streamControl)
	if _, err := control.Write(frame(settings, frameSettings, nil)); err != nil {
		return
	}
	for {
		stream, err := conn.AcceptStream(context.Background())
		if err != nil {
			return
		}
		go answerHTTP3(stream)
	}
}

// answerHTTP3 reads a request to its end and sends the page.
func answerHTTP3(stream *quic.Stream) {
	_ = stream.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.Copy(io.Discard, stream); err != nil {
		return
	}
	// Field section without dynamic table: ":status: 200", then "content-type:
	// text/html; charset=utf-8", numbers 25 and 52 of the static table (RFC 9204 App. A).
	fields := []byte{0, 0, 0xc0 | 25, 0xc0 | 52}
	_, _ = stream.Write(frame(frame(nil, frameHeaders, fields), frameData, []byte(http3Page)))
	_ = stream.Close()
}

// frame appends an HTTP/3 frame to b (RFC 9114 §7.1).
func frame(b []byte, kind uint64, body []byte) []byte {
	b = quicvarint.Append(b, kind)
	b = quicvarint.Append(b, uint64(len(body)))
	return append(b, body...)
}
