package sink

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/proxy"

	"telltale/alert"
)

// defaultTimeout bounds a dial, a handshake, a write or a wait for an answer.
const defaultTimeout = 10 * time.Second

// link is how a stream to a receiver is opened.
type link struct {
	address string      // host:port
	tls     *tls.Config // nil without TLS
	proxy   *url.URL    // nil without
	timeout time.Duration
}

// newLink checks the settings that stream sinks share.
func newLink(address string, t *TLS, via string, timeout time.Duration) (link, error) {
	l := link{address: address, timeout: timeout}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return l, fmt.Errorf("address %q: write it like siem.example.org:6514", address)
	}
	if l.timeout == 0 {
		l.timeout = defaultTimeout
	}
	if l.timeout < 0 {
		return l, errors.New("timeout must not be negative")
	}
	if t != nil {
		if l.tls, err = t.config(host); err != nil {
			return l, err
		}
	}
	l.proxy, err = proxyURL(via)
	return l, err
}

// proxyURL reads a proxy, nil if there is none.
func proxyURL(s string) (*url.URL, error) {
	if s == "" {
		return nil, nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "socks5" {
		return nil, fmt.Errorf("proxy %q: write it like http://proxy.example.org:3128 or socks5://proxy.example.org:1080", s)
	}
	return u, nil
}

// open connects and shakes hands, each within the timeout.
func (l *link) open(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*l.timeout)
	defer cancel()
	conn, err := l.dial(ctx)
	if err != nil {
		err = fmt.Errorf("connecting to %s: %w: see that it listens and that no firewall is between", l.address, err)
		alert.Trace(ctx, alert.Step{Name: "connect", Detail: l.address, Err: err})
		return nil, err
	}
	alert.Trace(ctx, alert.Step{Name: "connect", Detail: conn.RemoteAddr().String()})
	if l.tls == nil {
		return conn, nil
	}
	secure := tls.Client(conn, l.tls)
	_ = conn.SetDeadline(time.Now().Add(l.timeout))
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		err = fmt.Errorf("TLS with %s: %w: see that the port speaks TLS, and check ca, cert, key and server_name", l.address, err)
		alert.Trace(ctx, alert.Step{Name: "handshake", Err: err})
		return nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	st := secure.ConnectionState()
	alert.Trace(ctx, alert.Step{Name: "handshake", Detail: tls.VersionName(st.Version) + ", " + subject(&st)})
	return secure, nil
}

func subject(st *tls.ConnectionState) string {
	if len(st.PeerCertificates) == 0 {
		return "no certificate"
	}
	c := st.PeerCertificates[0]
	return "certificate of " + c.Subject.String() + " until " + c.NotAfter.UTC().Format(time.DateOnly)
}

func (l *link) dial(ctx context.Context) (net.Conn, error) {
	d := &net.Dialer{Timeout: l.timeout, KeepAlive: 15 * time.Second}
	if l.proxy == nil {
		return d.DialContext(ctx, "tcp", l.address)
	}
	if l.proxy.Scheme == "socks5" {
		via, err := proxy.FromURL(l.proxy, d)
		if err != nil {
			return nil, fmt.Errorf("using the proxy: %w", err)
		}
		return via.(proxy.ContextDialer).DialContext(ctx, "tcp", l.address)
	}
	conn, err := d.DialContext(ctx, "tcp", l.proxy.Host)
	if err != nil {
		return nil, err
	}
	in, err := l.tunnel(conn)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &tunnelled{conn, in}, nil
}

// tunnelled is a connection through a proxy. What a receiver that speaks first said may
// have come with the proxy's answer.
type tunnelled struct {
	net.Conn
	in *bufio.Reader
}

// Read implements net.Conn.
func (t *tunnelled) Read(b []byte) (int, error) { return t.in.Read(b) }

// tunnel asks an HTTP proxy for a way through (RFC 9110 §9.3.6).
func (l *link) tunnel(conn net.Conn) (*bufio.Reader, error) {
	_ = conn.SetDeadline(time.Now().Add(l.timeout))
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: l.address}, Host: l.address, Header: http.Header{}}
	if u := l.proxy.User; u != nil {
		word, _ := u.Password()
		r := http.Request{Header: req.Header}
		r.SetBasicAuth(u.Username(), word)
		req.Header.Set("Proxy-Authorization", req.Header.Get("Authorization"))
		req.Header.Del("Authorization")
	}
	if err := req.Write(conn); err != nil {
		return nil, fmt.Errorf("asking the proxy: %w", err)
	}
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, req)
	if err != nil {
		return nil, fmt.Errorf("asking the proxy: %w", err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the proxy answered %s", resp.Status)
	}
	return in, conn.SetDeadline(time.Time{})
}
