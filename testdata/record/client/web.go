package main

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

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

// fetchClear gets two pages over HTTP/2 without TLS by prior knowledge (RFC 9113 §3.3), on
// one connection, which goes to the host of the first.
func fetchClear(urls []string) error {
	var conn net.Conn
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		if conn != nil {
			return nil, errors.New("a second connection")
		}
		var err error
		conn, err = new(net.Dialer).DialContext(ctx, network, addr)
		return conn, err
	}
	only := new(http.Protocols)
	only.SetUnencryptedHTTP2(true)
	client := &http.Client{Timeout: timeout, Transport: &http.Transport{Protocols: only, DialContext: dial}}
	defer client.CloseIdleConnections()
	first, _, _ := strings.Cut(urls[0], "/")
	for _, u := range urls {
		host, path, _ := strings.Cut(u, "/")
		r, err := http.NewRequest(http.MethodGet, "http://"+first+"/"+path, nil)
		if err != nil {
			return fmt.Errorf("preparing a request: %w", err)
		}
		r.Host = host
		answer, err := client.Do(r)
		if err != nil {
			return fmt.Errorf("fetching: %w", err)
		}
		_, err = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			return fmt.Errorf("reading the page: %w", err)
		}
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
	conn, err := quic.DialAddr(ctx, net.JoinHostPort(name, port), hello(name, protocol),
		&quic.Config{Versions: []quic.Version{version}})
	if err != nil {
		return fmt.Errorf("opening a QUIC connection: %w", err)
	}
	return getOver(ctx, conn, name)
}

// fetchAgain gets the first pages of two names over HTTP/3, from the address of the
// first and in connections that follow each other between the same ports.
func fetchAgain(args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	server, err := net.ResolveUDPAddr("udp4", net.JoinHostPort(args[0], "443"))
	if err != nil {
		return fmt.Errorf("finding the server: %w", err)
	}
	socket, err := net.ListenUDP("udp4", nil)
	if err != nil {
		return fmt.Errorf("opening a socket: %w", err)
	}
	transport := &quic.Transport{Conn: socket}
	defer func() { _ = transport.Close() }()
	for _, name := range args {
		conn, err := transport.Dial(ctx, server, hello(name, "h3"), &quic.Config{Versions: []quic.Version{quic.Version1}})
		if err != nil {
			return fmt.Errorf("opening a QUIC connection: %w", err)
		}
		if err := getOver(ctx, conn, name); err != nil {
			return err
		}
	}
	return nil
}

func hello(name, protocol string) *tls.Config {
	return &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{protocol}}
}

// getOver gets the first page of name over conn, and closes that.
func getOver(ctx context.Context, conn *quic.Conn, name string) error {
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
