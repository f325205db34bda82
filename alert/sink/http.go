package sink

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"telltale/alert"
)

// Endpoint is the settings that sinks over HTTP share.
type Endpoint struct {
	// URL is where the receiver listens.
	URL string `yaml:"url"`
	TLS TLS    `yaml:"tls"`
	// Proxy is http:// or socks5://. Default: none, whatever the environment says.
	Proxy   string        `yaml:"proxy"`
	Timeout time.Duration `yaml:"timeout"`
	// Gzip compresses requests. Default: yes, where the type says so.
	Gzip *bool `yaml:"gzip"`
}

// poster posts to one receiver.
type poster struct {
	client *http.Client
	base   *url.URL
	gzip   bool
	hidden bool // the address is a secret: no message holds more than its host
	packed bytes.Buffer
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 4 << 20

// poster makes the client; pack is the default of gzip.
func (e *Endpoint) poster(pack bool) (*poster, error) {
	u, err := url.Parse(e.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("url %q: write it like https://siem.example.org:8088", e.URL)
	}
	if u.User != nil {
		return nil, errors.New("the url holds a password: give it in a file instead")
	}
	if e.Timeout == 0 {
		e.Timeout = 30 * time.Second
	}
	conf, err := e.TLS.config(u.Hostname())
	if err != nil {
		return nil, err
	}
	via, err := proxyURL(e.Proxy)
	if err != nil {
		return nil, err
	}
	t := &http.Transport{
		Proxy:               http.ProxyURL(via),
		DialContext:         (&net.Dialer{Timeout: defaultTimeout, KeepAlive: 15 * time.Second}).DialContext,
		TLSClientConfig:     conf,
		TLSHandshakeTimeout: defaultTimeout,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        2,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true,
	}
	p := &poster{base: u, gzip: pack, client: &http.Client{
		Transport: t, Timeout: e.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if e.Gzip != nil {
		p.gzip = *e.Gzip
	}
	return p, nil
}

// answer is what a receiver said.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// post sends body to the path below the base, with headers in pairs.
func (p *poster) post(ctx context.Context, path string, body []byte, headers ...string) (answer, error) {
	u := *p.base
	if path != "" {
		at, query, _ := strings.Cut(path, "?")
		u.Path, u.RawQuery = strings.TrimSuffix(u.Path, "/")+at, query
	}
	sent, err := p.pack(body)
	if err != nil {
		return answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(sent))
	if err != nil {
		return answer{}, fmt.Errorf("making a request: %w", err)
	}
	req.Header.Set("User-Agent", "telltale")
	if p.gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] != "" {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	a, err := p.do(req)
	step := alert.Step{Name: "post", Detail: fmt.Sprintf("%s, %d bytes", p.shown(&u), len(sent)), Err: err}
	switch {
	case err == nil && a.status >= 300:
		step.Err = fmt.Errorf("status %d", a.status)
	case err == nil:
		step.Detail += fmt.Sprintf(", status %d", a.status)
	}
	alert.Trace(ctx, step)
	return a, err
}

// shown is an address for messages.
func (p *poster) shown(u *url.URL) string {
	if p.hidden {
		return u.Host
	}
	return u.Redacted()
}

func (p *poster) pack(body []byte) ([]byte, error) {
	if !p.gzip {
		return body, nil
	}
	p.packed.Reset()
	w := gzip.NewWriter(&p.packed)
	if _, err := w.Write(body); err != nil {
		return nil, fmt.Errorf("compressing a request: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compressing a request: %w", err)
	}
	return p.packed.Bytes(), nil
}

func (p *poster) do(req *http.Request) (answer, error) {
	resp, err := p.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // it begins with the address, which is known and may be a secret
		}
		return answer{}, fmt.Errorf("asking %s: %w: see that it listens, and check url, tls and proxy", p.base.Host, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return answer{}, fmt.Errorf("reading the answer of %s: %w", p.base.Host, err)
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: b}, nil
}

// close ends idle connections.
func (p *poster) close() { p.client.CloseIdleConnections() }

// excerpt is the start of an answer, for messages.
func (a *answer) excerpt() string {
	const limit = 300
	b := a.body[:min(len(a.body), limit)]
	return strconv.QuoteToASCII(strings.TrimSpace(string(b)))
}

// failure says what to do about an answer that is not a success and settles nothing.
func (a *answer) failure(host string) alert.Outcome {
	hint := "see the receiver's log"
	switch {
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		hint = "check the token, user or signature, and what it may write"
	case a.status == http.StatusNotFound || a.status == http.StatusMethodNotAllowed:
		hint = "check url"
	case a.status >= 300 && a.status < 400:
		hint = "redirects are not followed: give the url they lead to"
	case a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable:
		hint = "the receiver is busy; it is tried again"
	}
	return alert.Outcome{Err: fmt.Errorf("%s answered %d %s: %s", host, a.status, a.excerpt(), hint), After: a.after()}
}

// after reads Retry-After (RFC 9110 §10.2.3), 0 if there is none.
func (a *answer) after() time.Duration {
	s := a.header.Get("Retry-After")
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		return time.Duration(min(n, 86400)) * time.Second
	}
	at, err := http.ParseTime(s)
	if err != nil {
		return 0
	}
	return max(0, time.Until(at))
}

// halving sends as much of a batch as the receiver takes at once: a batch that is too
// large is halved, and a record that alone is too large is refused.
func halving(batch []alert.Record, send func([]alert.Record) (o alert.Outcome, tooLarge bool)) alert.Outcome {
	for n := len(batch); ; n /= 2 {
		o, tooLarge := send(batch[:n])
		if !tooLarge {
			return o
		}
		if n == 1 {
			return alert.Outcome{Done: 1, Refused: []alert.Refusal{{Reason: "too large for the receiver"}}}
		}
	}
}
