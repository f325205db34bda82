package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"path"
	"strings"
	"time"

	"golang.org/x/net/http2"
	//lint:ignore SA1019 nothing else answers Upgrade: h2c
	"golang.org/x/net/http2/h2c"
)

// Magic numbers that the vendor's update files begin with.
const (
	magicDiff       = "KLD2"
	magicCompressed = "KLZF"
	fileLength      = 1140 // bytes
)

// serveHTTP serves pages and the updater's tree on port 80, over HTTP/1 and HTTP/2.
func serveHTTP(_ *identity, failed chan<- error) error {
	for r, handler := range map[role]http.HandlerFunc{web: page, update: updateFile} {
		for _, addr := range serving(r) {
			l, err := net.Listen("tcp", netip.AddrPortFrom(addr, 80).String())
			if err != nil {
				return fmt.Errorf("update server: %w", err)
			}
			s := &http.Server{Handler: clear2(handler), ReadHeaderTimeout: time.Minute}
			go func() { report(failed, s.Serve(l)) }()
		}
	}
	return nil
}

// clear2 answers HTTP/2 without TLS too. The server of net/http does that for clients that
// know before, but not for those that ask by Upgrade: h2c, as curl does.
func clear2(h http.Handler) http.Handler {
	//lint:ignore SA1019 as above
	return h2c.NewHandler(h, &http2.Server{})
}

// updateFile answers any path of the tree with a file of its kind: a difference, or a
// compressed file. What follows the magic number is noise, the same for each path.
func updateFile(w http.ResponseWriter, r *http.Request) {
	magic := magicCompressed
	switch path.Ext(r.URL.Path) {
	case ".dif":
		magic = magicDiff
	case ".klz", ".klzu":
	default:
		http.NotFound(w, r)
		return
	}
	var seed [32]byte
	copy(seed[:], r.URL.Path)
	body := make([]byte, fileLength)
	_, _ = rand.NewChaCha8(seed).Read(body) // never fails
	copy(body, magic)
	w.Header().Set("Content-Type", "application/octet-stream")
	modified := time.Date(2018, time.August, 2, 10, 43, 0, 0, time.UTC)
	http.ServeContent(w, r, strings.TrimPrefix(r.URL.Path, "/"), modified, bytes.NewReader(body))
}
