package main

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
)

// fetch gets the first page of a name over TLS.
func fetch(args []string) error {
	return get(args[0], &tls.Config{InsecureSkipVerify: true})
}

// fetchHidden does the same with the name hidden by Encrypted Client Hello.
func fetchHidden(args []string) error {
	text, err := os.ReadFile(args[2])
	if err != nil {
		return fmt.Errorf("reading the ECHConfigList: %w", err)
	}
	list, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		return fmt.Errorf("reading the ECHConfigList: %w", err)
	}
	trust := func(tls.ConnectionState) error { return nil }
	return get(args[0], &tls.Config{
		InsecureSkipVerify:                  true,
		EncryptedClientHelloConfigList:      list,
		EncryptedClientHelloRejectionVerify: trust,
		MinVersion:                          tls.VersionTLS13,
	})
}

func get(name string, conf *tls.Config) error {
	client := &http.Client{Timeout: timeout, Transport: &http.Transport{TLSClientConfig: conf, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	answer, err := client.Get("https://" + name + "/")
	if err != nil {
		return fmt.Errorf("fetching: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return fmt.Errorf("reading the page: %w", err)
	}
	return nil
}

// fetchQUIC gets the first page of a name over HTTP/3. On the port of DNS over QUIC it
// does so under that protocol's name: what is asked is encrypted.
func fetchQUIC(args []string) error {
	version := quic.Version1
	if args[1] == "2" {
		version = quic.Version2
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	name, port, err := net.SplitHostPort(args[0])
	if err != nil {
		name, port = args[0], "443"
	}
	protocol := "h3"
	if port == "853" {
		protocol = "doq" // RFC 9250 §4.1.1
	}
	conn, err := quic.DialAddr(ctx, net.JoinHostPort(name, port),
		&tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{protocol}},
		&quic.Config{Versions: []quic.Version{version}})
	if err != nil {
		return fmt.Errorf("opening a QUIC connection: %w", err)
	}
	defer func() { _ = conn.CloseWithError(0, "") }()
	stream, err := conn.OpenStreamSync(ctx)
	if err != nil {
		return fmt.Errorf("opening a stream: %w", err)
	}
	if _, err := stream.Write(request(name)); err != nil {
		return fmt.Errorf("sending the request: %w", err)
	}
	if err := stream.Close(); err != nil {
		return fmt.Errorf("ending the request: %w", err)
	}
	if _, err := io.Copy(io.Discard, stream); err != nil {
		return fmt.Errorf("reading the page: %w", err)
	}
	return nil
}

// request writes a HEADERS frame (RFC 9114 §7.2.2) with ":method: GET", ":scheme:
// https", ":path: /" and ":authority", numbers 17, 23, 1 and 0 of the static table
// (RFC 9204 App. A).
func request(name string) []byte {
	const headers = 0x01
	fields := []byte{0, 0, 0xc0 | 17, 0xc0 | 23, 0xc0 | 1, 0x50, byte(len(name))}
	fields = append(fields, name...)
	b := quicvarint.Append(nil, headers)
	b = quicvarint.Append(b, uint64(len(fields)))
	return append(b, fields...)
}
