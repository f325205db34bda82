package sink

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"telltale/alert"
	"telltale/alert/format"
)

var _ = register(Type{
	Name:  "relp",
	About: "the Reliable Event Logging Protocol of rsyslog, over TCP or TLS",
	Acked: true,
	New:   newRELP,
})

// relpConfig is the settings of a RELP receiver.
type relpConfig struct {
	// Address is host:port of the receiver.
	Address string `yaml:"address"`
	// Plain leaves TLS away.
	Plain bool `yaml:"plain"`
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

// relpWindow is how many messages may be unanswered, as librelp has it.
const relpWindow = 128

// maxTxnr is the last number of a session.
const maxTxnr = 999999999

// maxRELPAnswer bounds the data of a frame from the receiver.
const maxRELPAnswer = 64 << 10

// relpSink is a client of RELP version 0
// (rsyslog.com/doc/v8-stable/protocols/relp, "The RELP protocol").
type relpSink struct {
	link   link
	head   format.Syslog
	header format.Header
	conn   net.Conn
	in     *bufio.Reader
	txnr   uint64
	frame  []byte
}

func newRELP(e *Entry) (alert.Sink, error) {
	var c relpConfig
	if err := e.Decode(&c); err != nil {
		return nil, err
	}
	f, err := format.ByName(e.Format)
	if err != nil {
		return nil, err
	}
	t := &c.TLS
	if c.Plain {
		t = nil
	}
	s := new(relpSink)
	s.link, err = newLink(c.Address, t, c.Proxy, c.Timeout)
	var err2, err3 error
	s.head, err2 = syslogHead(c.Hostname, c.Facility)
	s.header, err3 = headerOf(c.Header, f)
	return s, errors.Join(err, err2, err3)
}

// Send implements alert.Sink.
func (s *relpSink) Send(ctx context.Context, batch []alert.Record) alert.Outcome {
	if s.conn != nil && s.txnr > maxTxnr-uint64(len(batch)) {
		_ = s.Close() // the numbers of a session are used up
	}
	if s.conn == nil {
		if err := s.connect(ctx); err != nil {
			return alert.Outcome{Err: err}
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = s.conn.SetDeadline(time.Now()) })
	defer stop()
	var o alert.Outcome
	for o.Err == nil && o.Done < len(batch) {
		s.exchange(batch[o.Done:min(o.Done+relpWindow, len(batch))], &o)
	}
	if o.Err != nil {
		o.Err = fmt.Errorf("sending to %s: %w: see the receiver's log", s.link.address, o.Err)
		s.drop()
	}
	alert.Trace(ctx, alert.Step{Name: "acknowledge", Detail: fmt.Sprintf("%d of %d messages", o.Done-len(o.Refused), len(batch)), Err: o.Err})
	return o
}

// exchange writes some messages and reads the answers to them.
func (s *relpSink) exchange(some []alert.Record, o *alert.Outcome) {
	first := s.txnr + 1
	s.frame = s.frame[:0]
	for i := range some {
		m := s.head.Append(nil, s.header, some[i].Alert)
		s.append("syslog", append(m, some[i].Body...))
	}
	_ = s.conn.SetDeadline(time.Now().Add(s.link.timeout))
	if _, o.Err = s.conn.Write(s.frame); o.Err != nil {
		return
	}
	answers := make([]string, len(some))
	for got := 0; got < len(some); {
		txnr, answer, err := s.answer()
		if err != nil {
			o.Err = err
			break
		}
		if i := txnr - first; i < uint64(len(some)) && answers[i] == "" {
			answers[i] = answer
			got++
		}
	}
	for _, a := range answers {
		if a == "" {
			return // unanswered: all from here on are sent again
		}
		if !strings.HasPrefix(a, "200") {
			o.Refused = append(o.Refused, alert.Refusal{Index: o.Done, Reason: "RELP answer " + strconv.Quote(a)})
		}
		o.Done++
	}
}

// append adds a frame: number, command, length, data.
func (s *relpSink) append(command string, data []byte) {
	s.txnr++
	s.frame = strconv.AppendUint(s.frame, s.txnr, 10)
	s.frame = append(append(append(s.frame, ' '), command...), ' ')
	s.frame = strconv.AppendInt(s.frame, int64(len(data)), 10)
	if len(data) > 0 {
		s.frame = append(append(s.frame, ' '), data...)
	}
	s.frame = append(s.frame, '\n')
}

// answer reads a frame of the receiver.
func (s *relpSink) answer() (txnr uint64, data string, err error) {
	var word [3]string
	for i := range word {
		if word[i], err = s.word(); err != nil {
			return 0, "", fmt.Errorf("reading an answer: %w", err)
		}
	}
	txnr, err = strconv.ParseUint(word[0], 10, 64)
	n, err2 := strconv.Atoi(word[2])
	if err = errors.Join(err, err2); err != nil || n < 0 || n > maxRELPAnswer {
		return 0, "", errors.New("the receiver does not speak RELP: check address")
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(s.in, b); err != nil {
		return 0, "", fmt.Errorf("reading an answer: %w", err)
	}
	if n > 0 {
		if _, err := s.in.ReadByte(); err != nil { // the line end
			return 0, "", fmt.Errorf("reading an answer: %w", err)
		}
	}
	if word[1] == "serverclose" {
		return 0, "", errClosed
	}
	return txnr, string(b), nil
}

// word reads up to a space or the line end.
func (s *relpSink) word() (string, error) {
	var b []byte
	for len(b) < 32 {
		c, err := s.in.ReadByte()
		if err != nil {
			return "", err
		}
		if c == ' ' || c == '\n' {
			return string(b), nil
		}
		b = append(b, c)
	}
	return "", errors.New("the receiver does not speak RELP: check address")
}

// connect opens a session.
func (s *relpSink) connect(ctx context.Context) error {
	conn, err := s.link.open(ctx)
	if err != nil {
		return err
	}
	s.conn, s.in, s.txnr, s.frame = conn, bufio.NewReader(conn), 0, s.frame[:0]
	s.append("open", []byte("relp_version=0\nrelp_software=telltale\ncommands=syslog"))
	_ = conn.SetDeadline(time.Now().Add(s.link.timeout))
	_, err = conn.Write(s.frame)
	answer := ""
	if err == nil {
		_, answer, err = s.answer()
	}
	if err == nil && (!strings.HasPrefix(answer, "200") || !strings.Contains(answer, "syslog")) {
		err = fmt.Errorf("the receiver answered %q", answer)
	}
	if err != nil {
		s.drop()
		err = fmt.Errorf("opening a RELP session with %s: %w: check that RELP listens there", s.link.address, err)
	}
	alert.Trace(ctx, alert.Step{Name: "open session", Err: err})
	return err
}

func (s *relpSink) drop() {
	_ = s.conn.Close()
	s.conn = nil
}

// Close ends the session in good order.
func (s *relpSink) Close() error {
	if s.conn == nil {
		return nil
	}
	s.frame = s.frame[:0]
	s.append("close", nil)
	_ = s.conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := s.conn.Write(s.frame); err == nil {
		_, _, _ = s.answer()
	}
	err := s.conn.Close()
	s.conn = nil
	if err != nil {
		return fmt.Errorf("closing the session with %s: %w", s.link.address, err)
	}
	return nil
}
