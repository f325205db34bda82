package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// proxyAddress is where clients of the network find their proxy.
const proxyAddress = resolver + ":3128"

// serveProxy serves HTTP CONNECT (RFC 9110 §9.3.6).
func serveProxy(_ *identity, failed chan<- error) error {
	l, err := net.Listen("tcp", proxyAddress)
	if err != nil {
		return fmt.Errorf("proxy: %w", err)
	}
	s := &http.Server{Handler: http.HandlerFunc(connect), ReadHeaderTimeout: time.Minute}
	go func() { report(failed, s.Serve(l)) }()
	return nil
}

// connect joins the client to the host it names.
func connect(w http.ResponseWriter, r *http.Request) {
	name, port, err := net.SplitHostPort(r.Host)
	h, known := find(name)
	if r.Method != http.MethodConnect || err != nil || !known {
		http.Error(w, "only CONNECT to a known host", http.StatusForbidden)
		return
	}
	far, err := net.DialTimeout("tcp", net.JoinHostPort(h.addr[0], port), 5*time.Second)
	if err != nil {
		http.Error(w, "no connection", http.StatusBadGateway)
		return
	}
	defer func() { _ = far.Close() }()
	near, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = near.Close() }()
	if _, err := io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	go func() { _, _ = io.Copy(far, near) }()
	_, _ = io.Copy(near, far)
}
