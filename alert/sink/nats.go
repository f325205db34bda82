package sink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"telltale/alert"
)

var _ = register(Type{
	Name:         "nats",
	About:        "NATS JetStream, duplicates are known by the alert's id",
	Acked:        true,
	Observations: true,
	New:          newNATS,
})

// natsConfig is the settings of a NATS server.
type natsConfig struct {
	// URL is the server's, as tls://nats.example.org:4222; several with commas between.
	URL string `yaml:"url"`
	// Subject is what is published to; {sensor} stands for the sensor's name. A stream
	// must take it. Default telltale.alerts.{sensor}.
	Subject string `yaml:"subject"`
	// CredsFile holds a user's JWT and seed; TokenFile a token; PasswordFile the password
	// of User.
	CredsFile    string        `yaml:"creds_file"`
	TokenFile    string        `yaml:"token_file"`
	User         string        `yaml:"user"`
	PasswordFile string        `yaml:"password_file"`
	TLS          TLS           `yaml:"tls"`
	Proxy        string        `yaml:"proxy"`
	Timeout      time.Duration `yaml:"timeout"`
}

type natsSink struct {
	url, subject string
	opts         []nats.Option
	timeout      time.Duration
	conn         *nats.Conn
	js           jetstream.JetStream
}

func newNATS(e *Entry) (alert.Sink, error) {
	c := natsConfig{Subject: "telltale.alerts.{sensor}", Timeout: defaultTimeout}
	if err := e.Decode(&c); err != nil {
		return nil, err
	}
	s := &natsSink{url: c.URL, subject: c.Subject, timeout: c.Timeout}
	if c.URL == "" || strings.Contains(c.URL, "@") {
		return nil, errors.New("url: write it like tls://nats.example.org:4222, with no password in it")
	}
	login, err := c.login()
	if err != nil {
		return nil, err
	}
	s.opts = append(login, nats.Name("telltale"), nats.Timeout(c.Timeout), nats.NoReconnect())
	via, err := proxyURL(c.Proxy)
	if err != nil {
		return nil, err
	}
	if via != nil {
		s.opts = append(s.opts, nats.SetCustomDialer(natsDialer{link{proxy: via, timeout: cmp.Or(c.Timeout, defaultTimeout)}}))
	}
	if strings.Contains(c.URL, "tls://") || c.TLS != (TLS{}) {
		conf, err := c.TLS.config("")
		if err != nil {
			return nil, err
		}
		s.opts = append(s.opts, nats.Secure(conf))
	}
	return s, nil
}

// natsDialer reaches a server through a proxy; TLS comes later.
type natsDialer struct{ link link }

// Dial implements nats.CustomDialer.
func (d natsDialer) Dial(_, address string) (net.Conn, error) {
	d.link.address = address
	ctx, cancel := context.WithTimeout(context.Background(), d.link.timeout)
	defer cancel()
	return d.link.dial(ctx)
}

func (c *natsConfig) login() ([]nats.Option, error) {
	var opts []nats.Option
	if c.CredsFile != "" {
		if _, err := readSecret(c.CredsFile); err != nil {
			return nil, err
		}
		path, err := secretPath(c.CredsFile)
		if err != nil {
			return nil, err
		}
		opts = append(opts, nats.UserCredentials(path))
	}
	if c.TokenFile != "" {
		token, err := secretLine(c.TokenFile)
		if err != nil {
			return nil, err
		}
		opts = append(opts, nats.Token(token))
	}
	if c.User != "" {
		word, err := secretLine(c.PasswordFile)
		if err != nil {
			return nil, err
		}
		opts = append(opts, nats.UserInfo(c.User, word))
	}
	if len(opts) > 1 {
		return nil, errors.New("creds_file, token_file and user exclude each other: give one")
	}
	return opts, nil
}

// Send implements alert.Sink.
func (s *natsSink) Send(ctx context.Context, batch []alert.Record) alert.Outcome {
	if s.conn != nil && !s.conn.IsConnected() {
		s.drop()
	}
	if s.conn == nil {
		if err := s.connect(ctx); err != nil {
			return alert.Outcome{Err: err}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	waits := make([]jetstream.PubAckFuture, len(batch))
	var o alert.Outcome
	errs := make([]error, len(batch))
	for i := range batch {
		waits[i], errs[i] = s.js.PublishMsgAsync(natsMessage(s.subject, &batch[i]))
	}
	for i, w := range waits {
		err := errs[i]
		if err == nil {
			err = acknowledged(ctx, w)
		}
		switch {
		case err == nil:
		case errors.Is(err, nats.ErrMaxPayload):
			o.Refused = append(o.Refused, alert.Refusal{Index: i, Reason: err.Error()})
		default:
			o.Err = fmt.Errorf("publishing to %s: %w: see that the server runs JetStream and that a stream takes the subject", s.subject, err)
			alert.Trace(ctx, alert.Step{Name: "publish", Err: o.Err})
			s.drop()
			return o
		}
		o.Done++
	}
	alert.Trace(ctx, alert.Step{Name: "publish", Detail: fmt.Sprintf("%d messages stored by the stream", o.Done-len(o.Refused))})
	return o
}

func acknowledged(ctx context.Context, w jetstream.PubAckFuture) error {
	select {
	case <-w.Ok():
		return nil
	case err := <-w.Err():
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unfitToken is what a token of a subject cannot hold.
var unfitToken = regexp.MustCompile(`[^A-Za-z0-9_-]`)

func natsMessage(subject string, r *alert.Record) *nats.Msg {
	m := nats.NewMsg(strings.ReplaceAll(subject, "{sensor}", unfitToken.ReplaceAllString(r.Sensor, "_")))
	m.Data = append([]byte(nil), r.Body...)
	if r.Alert != nil {
		m.Header.Set(nats.MsgIdHdr, r.Alert.ID)
	}
	return m
}

func (s *natsSink) connect(ctx context.Context) error {
	conn, err := nats.Connect(s.url, s.opts...)
	if err == nil {
		s.conn = conn
		s.js, err = jetstream.New(conn, jetstream.WithPublishAsyncTimeout(s.timeout), jetstream.WithPublishAsyncMaxPending(maxBatch))
		if err != nil {
			s.drop()
		}
	}
	if err != nil {
		err = fmt.Errorf("connecting to %s: %w: see that the server listens, and check the login and tls", s.url, err)
		alert.Trace(ctx, alert.Step{Name: "connect", Err: err})
		return err
	}
	alert.Trace(ctx, alert.Step{Name: "connect", Detail: conn.ConnectedUrlRedacted() + ", server " + conn.ConnectedServerVersion()})
	return nil
}

func (s *natsSink) drop() {
	s.conn.Close()
	s.conn, s.js = nil, nil
}

// Close implements alert.Sink.
func (s *natsSink) Close() error {
	if s.conn != nil {
		s.drop()
	}
	return nil
}
