package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"
)

// fetcher gets files over HTTPS, and nothing else.
type fetcher struct{ client *http.Client }

// maxRedirects bounds how often a file may be elsewhere.
const maxRedirects = 5

// newFetcher returns a fetcher. It does not reuse connections: a run is a few files.
func newFetcher(c *updateConfig) (*fetcher, error) {
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 20 * time.Second, ResponseHeaderTimeout: 30 * time.Second,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if c.Proxy != "" {
		u, err := url.Parse(c.Proxy)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("the proxy %q is no URL: write it like http://proxy.example.com:3128", c.Proxy)
		}
		t.Proxy = http.ProxyURL(u)
	}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("reading the certificates: %w", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate: give a PEM file", c.CAFile)
		}
		t.TLSClientConfig.RootCAs = pool
	}
	return &fetcher{client: &http.Client{
		Transport: t, Timeout: time.Duration(cmp.Or(c.Timeout, 120)) * time.Second,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) >= maxRedirects {
				return errors.New("too many redirects")
			}
			return onlyHTTPS(r.URL)
		},
	}}, nil
}

func onlyHTTPS(u *url.URL) error {
	if u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%s is no https address: lists and packs are fetched over HTTPS only", u.Redacted())
	}
	return nil
}

// fetched is a file as it came.
type fetched struct {
	data           []byte
	etag, modified string
	unchanged      bool // and not sent again
}

// get returns the file at an address. With what is remembered of it in s, it is not sent
// again if it has not changed.
func (f *fetcher) get(ctx context.Context, address string, limit int64, s *fetchState) (*fetched, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("reading the address: %w", err)
	}
	if err := onlyHTTPS(u); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("asking for it: %w", err)
	}
	r.Header.Set("User-Agent", "telltale/"+version)
	if s.ETag != "" {
		r.Header.Set("If-None-Match", s.ETag)
	}
	if s.LastModified != "" {
		r.Header.Set("If-Modified-Since", s.LastModified)
	}
	resp, err := f.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("fetching: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode == http.StatusNotModified && s.SHA256 != "":
		return &fetched{unchanged: true}, nil
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the server answered %s", resp.Status)
	case resp.ContentLength > limit:
		return nil, fmt.Errorf("it has %d bytes, more than the %d that may be", resp.ContentLength, limit)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("fetching: %w: it was cut", err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("it has more than the %d bytes that may be", limit)
	}
	return &fetched{data: data, etag: resp.Header.Get("ETag"), modified: resp.Header.Get("Last-Modified")}, nil
}
