package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// serveTLS serves pages over TLS on port 443, and alerts where an address gives nothing else.
func serveTLS(id *identity, failed chan<- error) error {
	pages := &tls.Config{
		Certificates:             []tls.Certificate{id.cert},
		NextProtos:               []string{"h2", "http/1.1"},
		EncryptedClientHelloKeys: id.echKeys,
	}
	alerts := &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return nil, errors.New("not for you")
	}}
	for _, set := range []struct {
		role role
		conf *tls.Config
	}{{web, pages}, {update, pages}, {alarm, alerts}} {
		for _, addr := range serving(set.role) {
			if err := listenTLS(addr, set.conf, failed); err != nil {
				return err
			}
		}
	}
	return nil
}

func listenTLS(addr netip.Addr, conf *tls.Config, failed chan<- error) error {
	l, err := net.Listen("tcp", netip.AddrPortFrom(addr, 443).String())
	if err != nil {
		return fmt.Errorf("web server: %w", err)
	}
	s := &http.Server{Handler: http.HandlerFunc(page), TLSConfig: conf, ReadHeaderTimeout: time.Minute}
	go func() { report(failed, s.ServeTLS(l, "", "")) }()
	return nil
}

// page answers with a page that embeds what such a page embeds.
func page(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != "/":
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = fmt.Fprintln(w, "/* loaded */")
	case r.Host == "www.daily-news.example":
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintln(w, `<!doctype html><title>News</title><link rel=icon href=data:,>
<script src=https://analytics.tiktok.com/i18n/pixel/events.js></script>
<script src=https://mc.yandex.ru/metrika/tag.js></script><p>Today's news`)
	default:
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintln(w, "<!doctype html><title>A page</title><link rel=icon href=data:,><p>A page")
	}
}
