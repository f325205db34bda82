package sink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"telltale/alert"
	"telltale/alert/format"
)

var _ = register(Type{
	Name:  "syslog",
	About: "syslog over TLS, TCP or UDP (RFC 5424, 5425, 6587), the last records are sent again after a lost connection",
	// What the dead peer's socket held is lost without a word: measured, a thousand
	// records cover it at 14,000 a second.
	Window: alert.Window{Records: 1000, Span: 2 * time.Second},
	New:    newSyslog,
})

// syslogConfig is the settings of a syslog receiver.
type syslogConfig struct {
	// Address is host:port of the receiver.
	Address string `yaml:"address"`
	// Transport is tls (default), tcp or udp.
	Transport string `yaml:"transport"`
	// Framing is octets (default, RFC 6587 §3.4.1) or lines (§3.4.2), over TCP and TLS.
	Framing string `yaml:"framing"`
	// Facility is the facility's number, 0 to 23. Default 16, local0.
	Facility *uint8 `yaml:"facility"`
	// Hostname is the name in the header. Default: this host's.
	Hostname string `yaml:"hostname"`
	// Header is rfc5424, rfc3164 or leef. Default: leef for LEEF, rfc5424 for the rest.
	Header  string        `yaml:"header"`
	TLS     TLS           `yaml:"tls"`
	Proxy   string        `yaml:"proxy"`
	Timeout time.Duration `yaml:"timeout"`
}

// syslogSink writes to a receiver that does not acknowledge.
type syslogSink struct {
	link   link
	udp    bool
	lines  bool
	form   format.Format
	head   format.Syslog
	header format.Header
	conn   *watched
	fresh  bool // nothing was written to conn yet
	frame  []byte
	buf    []byte
}

// refusalShows is how long a receiver has to refuse a new TLS connection, which it does
// after the handshake is over for us.
const refusalShows = time.Second

// maxDatagram is what every receiver of syslog over UDP should take (RFC 5426 §3.2).
const maxDatagram = 2048

func newSyslog(e *Entry) (alert.Sink, error) {
	c := syslogConfig{Transport: "tls", Framing: "octets"}
	if err := e.Decode(&c); err != nil {
		return nil, err
	}
	f, err := format.ByName(e.Format)
	if err != nil {
		return nil, err
	}
	s := &syslogSink{form: f, udp: c.Transport == "udp", lines: c.Framing == "lines"}
	var t *TLS
	if c.Transport == "tls" {
		t = &c.TLS
	}
	var errs []error
	s.header, err = headerOf(c.Header, f)
	errs = append(errs, err)
	s.link, err = newLink(c.Address, t, c.Proxy, c.Timeout)
	errs = append(errs, err)
	if c.Transport != "tls" && c.Transport != "tcp" && c.Transport != "udp" {
		errs = append(errs, fmt.Errorf("transport %q: use tls, tcp or udp", c.Transport))
	}
	if c.Framing != "octets" && c.Framing != "lines" {
		errs = append(errs, fmt.Errorf("framing %q: use octets or lines", c.Framing))
	}
	if s.udp && c.Proxy != "" {
		errs = append(errs, errors.New("a proxy does not carry UDP: use transport tls or tcp"))
	}
	s.head, err = syslogHead(c.Hostname, c.Facility)
	return s, errors.Join(append(errs, err)...)
}

// headerOf returns the profile of that name, or what the format's receivers expect.
func headerOf(name string, f format.Format) (format.Header, error) {
	if name == "" {
		return f.Header, nil
	}
	return format.HeaderByName(name)
}

// syslogHead returns what stands in all headers.
func syslogHead(host string, facility *uint8) (format.Syslog, error) {
	h := format.Syslog{Facility: 16, Host: host, ProcID: strconv.Itoa(os.Getpid())}
	if facility != nil {
		h.Facility = *facility
	}
	if h.Facility > 23 {
		return h, fmt.Errorf("facility must be 0 to 23, not %d", h.Facility)
	}
	if h.Host == "" {
		name, err := os.Hostname()
		if err != nil {
			return h, fmt.Errorf("asking for this host's name: %w: give hostname", err)
		}
		h.Host = name
	}
	return h, nil
}

// Send implements alert.Sink.
func (s *syslogSink) Send(ctx context.Context, batch []alert.Record) alert.Outcome {
	if s.conn != nil && s.conn.err() != nil {
		s.drop()
	}
	if s.conn == nil {
		if err := s.connect(ctx); err != nil {
			return alert.Outcome{Err: err}
		}
		if !s.udp {
			return alert.Outcome{Rewind: true}
		}
	}
	if s.udp {
		return s.datagrams(ctx, batch)
	}
	return s.stream(ctx, batch)
}

func (s *syslogSink) connect(ctx context.Context) error {
	var conn net.Conn
	var err error
	if s.udp {
		d := net.Dialer{Timeout: s.link.timeout}
		conn, err = d.DialContext(ctx, "udp", s.link.address)
		if err != nil {
			err = fmt.Errorf("opening a socket to %s: %w: check address", s.link.address, err)
		}
		alert.Trace(ctx, alert.Step{Name: "open", Detail: "udp " + s.link.address, Err: err})
	} else {
		conn, err = s.link.open(ctx)
	}
	if err != nil {
		return err
	}
	s.conn, s.fresh = watch(conn), true
	return nil
}

// message returns the frame's content for r: header and body.
func (s *syslogSink) message(r *alert.Record) []byte {
	s.buf = s.head.Append(s.buf[:0], s.header, r.Alert)
	return append(s.buf, r.Body...)
}

func (s *syslogSink) stream(ctx context.Context, batch []alert.Record) alert.Outcome {
	s.frame = s.frame[:0]
	for i := range batch {
		m := s.message(&batch[i])
		if s.lines {
			s.frame = append(append(s.frame, m...), '\n')
			continue
		}
		s.frame = strconv.AppendInt(s.frame, int64(len(m)), 10)
		s.frame = append(append(s.frame, ' '), m...)
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(s.link.timeout))
	stop := context.AfterFunc(ctx, func() { _ = s.conn.SetWriteDeadline(time.Now()) })
	_, err := s.conn.Write(s.frame)
	stop()
	if err == nil && s.fresh && s.link.tls != nil {
		err = s.settle(ctx)
	}
	if err != nil {
		err = fmt.Errorf("writing to %s: %w: see the receiver's log", s.link.address, err)
		alert.Trace(ctx, alert.Step{Name: "write", Err: err})
		s.drop()
		return alert.Outcome{Err: err}
	}
	s.fresh = false
	alert.Trace(ctx, alert.Step{Name: "write", Detail: fmt.Sprintf("%d messages, %d bytes; this receiver does not acknowledge", len(batch), len(s.frame))})
	return alert.Outcome{Done: len(batch)}
}

// settle waits for the refusal of a new connection.
func (s *syslogSink) settle(ctx context.Context) error {
	t := time.NewTimer(refusalShows)
	defer t.Stop()
	select {
	case <-s.conn.gone:
		return s.conn.err()
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func (s *syslogSink) datagrams(ctx context.Context, batch []alert.Record) alert.Outcome {
	var o alert.Outcome
	for i := range batch {
		m := s.message(&batch[i])
		if over := len(m) - maxDatagram; over > 0 {
			short := batch[i]
			short.Body = s.form.Within(nil, short.Alert, len(short.Body)-over)
			m = s.message(&short)
		}
		if len(m) > maxDatagram {
			m = m[:maxDatagram] // a cut event tells more than none; readers of UDP expect it
		}
		_ = s.conn.SetWriteDeadline(time.Now().Add(s.link.timeout))
		if _, err := s.conn.Write(m); err != nil {
			o.Err = fmt.Errorf("sending to %s: %w: see that the receiver listens", s.link.address, err)
			alert.Trace(ctx, alert.Step{Name: "write", Err: o.Err})
			s.drop()
			return o
		}
		o.Done++
	}
	alert.Trace(ctx, alert.Step{Name: "write", Detail: fmt.Sprintf("%d datagrams; nobody says whether they arrived", o.Done)})
	return o
}

func (s *syslogSink) drop() {
	_ = s.conn.Close()
	s.conn = nil
}

// Close implements alert.Sink.
func (s *syslogSink) Close() error {
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	if err != nil {
		return fmt.Errorf("closing the connection to %s: %w", s.link.address, err)
	}
	return nil
}
