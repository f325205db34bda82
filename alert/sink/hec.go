package sink

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"telltale/alert"
)

var _ = register(Type{
	Name:         "splunk",
	About:        "Splunk HTTP Event Collector; with ack, what is indexed is acknowledged",
	Acked:        true,
	Formats:      []string{"native", "eve", "eve7", "ecs", "ecs8", "ocsf"},
	Observations: true,
	New:          newHEC,
})

// hecConfig is the settings of a Splunk HTTP Event Collector.
type hecConfig struct {
	Endpoint `yaml:",inline"`
	// TokenFile holds the token of the input.
	TokenFile string `yaml:"token_file"`
	// Index, Source and Sourcetype override the input's. Sourcetype is suricata for EVE
	// and telltale:alert for other formats.
	Index      string `yaml:"index"`
	Source     string `yaml:"source"`
	Sourcetype string `yaml:"sourcetype"`
	// Ack waits until the indexer has acknowledged. The token must have it enabled, and
	// Splunk Cloud has it not.
	Ack bool `yaml:"ack"`
	// AckTimeout is how long to wait for that before the batch is sent again. Default 60 s.
	AckTimeout time.Duration `yaml:"ack_timeout"`
}

type hec struct {
	*poster
	auth, channel string
	head          hecHead
	ack           bool
	patience      time.Duration
	poll          time.Duration
	body          []byte
}

// hecHead is what stands around an event.
type hecHead struct {
	Host       string `json:"host,omitempty"`
	Source     string `json:"source,omitempty"`
	Sourcetype string `json:"sourcetype,omitempty"`
	Index      string `json:"index,omitempty"`
}

// Answers of the collector (Splunk, "Troubleshoot HTTP Event Collector").
const (
	hecSuccess      = 0
	hecInvalidData  = 6
	hecWrongIndex   = 7
	hecNoEvent      = 12
	hecBlankEvent   = 13
	hecBadFields    = 15
	hecQueryChannel = "/services/collector/ack?channel="
)

func newHEC(e *Entry) (alert.Sink, error) {
	c := hecConfig{Source: "telltale", AckTimeout: time.Minute}
	if err := e.Decode(&c); err != nil {
		return nil, err
	}
	if c.Sourcetype == "" {
		c.Sourcetype = "telltale:alert"
		if strings.HasPrefix(e.Format, "eve") {
			c.Sourcetype = "suricata"
		}
	}
	p, err := c.poster(true)
	if c.TokenFile == "" {
		err = errors.Join(err, errors.New("token_file is missing: name the file with the token of the input"))
	}
	if err != nil {
		return nil, err
	}
	token, err := secretLine(c.TokenFile)
	if err != nil {
		return nil, err
	}
	return &hec{
		poster: p, auth: "Splunk " + token, channel: channelID(), ack: c.Ack, patience: c.AckTimeout, poll: 500 * time.Millisecond,
		head: hecHead{Source: c.Source, Sourcetype: c.Sourcetype, Index: c.Index},
	}, nil
}

// channelID returns a random UUID of version 4 (RFC 9562 §5.4).
func channelID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// Send implements alert.Sink.
func (h *hec) Send(ctx context.Context, batch []alert.Record) alert.Outcome {
	return halving(batch, func(some []alert.Record) (alert.Outcome, bool) { return h.send(ctx, some) })
}

// hecAnswer is what the collector says.
type hecAnswer struct {
	Text    string `json:"text"`
	Code    int    `json:"code"`
	Invalid *int   `json:"invalid-event-number"`
	AckID   *int64 `json:"ackId"`
}

func (h *hec) send(ctx context.Context, batch []alert.Record) (alert.Outcome, bool) {
	h.body = h.body[:0]
	for i := range batch {
		h.body = h.append(h.body, &batch[i])
	}
	a, err := h.post(ctx, "/services/collector/event", h.body,
		"Authorization", h.auth, "Content-Type", "application/json", "X-Splunk-Request-Channel", h.channel)
	if err != nil {
		return alert.Outcome{Err: err}, false
	}
	if a.status == http.StatusRequestEntityTooLarge {
		return alert.Outcome{}, true
	}
	var said hecAnswer
	_ = json.Unmarshal(a.body, &said) // an answer of something between is no JSON, and fails below
	unfit, n := a.status == http.StatusBadRequest && said.content(), said.invalid()
	switch {
	case a.status == http.StatusOK && said.Code == hecSuccess && len(a.body) > 0:
		return h.indexed(ctx, said.AckID, len(batch)), false
	case unfit && said.Invalid == nil && len(batch) > 1:
		return alert.Outcome{}, true // one of them is the reason: halving finds it
	case unfit && n >= 0 && n < len(batch): // those before it were taken
		return alert.Outcome{Done: n + 1, Refused: []alert.Refusal{{Index: n, Reason: fmt.Sprintf("Splunk answered code %d: %s", said.Code, said.Text)}}}, false
	}
	return a.failure(h.base.Host), false
}

// content says that what an event holds is the reason.
func (a *hecAnswer) content() bool {
	switch a.Code {
	case hecInvalidData, hecNoEvent, hecBlankEvent, hecBadFields:
		return true
	}
	return false
}

// invalid is the event that is the reason. Some that speak for Splunk do not say which.
func (a *hecAnswer) invalid() int {
	if a.Invalid == nil {
		return 0
	}
	return *a.Invalid
}

// append adds one event with what stands around it. Events follow each other without
// a separator that means anything.
func (h *hec) append(dst []byte, r *alert.Record) []byte {
	head := h.head
	head.Host = r.Sensor
	b, err := json.Marshal(head)
	if err != nil {
		return dst // texts of the configuration always marshal
	}
	dst = append(dst, b[:len(b)-1]...)
	if r.Alert != nil {
		dst = append(dst, `,"time":`...)
		ms := time.Unix(0, r.Alert.Time).UnixMilli()
		dst = strconv.AppendFloat(dst, float64(ms)/1000, 'f', 3, 64)
		dst = append(dst, `,"fields":{"telltale_event_id":"`+r.Alert.ID+`"}`...)
	}
	dst = append(dst, `,"event":`...)
	dst = append(dst, r.Body...)
	return append(dst, '}', '\n')
}

// indexed waits for the indexer's acknowledgement if that is wanted.
func (h *hec) indexed(ctx context.Context, id *int64, n int) alert.Outcome {
	if !h.ack {
		return alert.Outcome{Done: n}
	}
	if id == nil {
		return alert.Outcome{Err: errors.New("the token has no indexer acknowledgement: enable it in Splunk, or remove ack")}
	}
	until := time.Now().Add(h.patience)
	for time.Now().Before(until) {
		done, err := h.acked(ctx, *id)
		if err != nil {
			return alert.Outcome{Err: err}
		}
		if done {
			alert.Trace(ctx, alert.Step{Name: "acknowledge", Detail: "indexed"})
			return alert.Outcome{Done: n}
		}
		select {
		case <-ctx.Done():
			return alert.Outcome{Err: ctx.Err()}
		case <-time.After(h.poll):
		}
	}
	return alert.Outcome{Err: fmt.Errorf("no acknowledgement by the indexer within %v: it is sent again; see the state of the indexers", h.patience)}
}

func (h *hec) acked(ctx context.Context, id int64) (bool, error) {
	query := *h.poster
	query.gzip = false
	a, err := query.post(ctx, hecQueryChannel+h.channel, fmt.Appendf(nil, `{"acks":[%d]}`, id),
		"Authorization", h.auth, "Content-Type", "application/json", "X-Splunk-Request-Channel", h.channel)
	if err != nil {
		return false, err
	}
	if a.status != http.StatusOK {
		return false, a.failure(h.base.Host).Err
	}
	var said struct {
		Acks map[string]bool `json:"acks"`
	}
	if err := json.Unmarshal(a.body, &said); err != nil {
		return false, fmt.Errorf("reading the acknowledgement: %w: check url", err)
	}
	return said.Acks[strconv.FormatInt(id, 10)], nil
}

// Close implements alert.Sink.
func (h *hec) Close() error {
	h.close()
	return nil
}
