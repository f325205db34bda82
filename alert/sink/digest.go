package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"telltale/alert"
)

var (
	_ = register(Type{
		Name: "slack", About: "digests into a Slack channel: a notice, not a delivery", Acked: true, Formats: []string{"native"},
		New: func(e *Entry) (alert.Sink, error) { return newDigest(e, slackMessage) },
	})
	_ = register(Type{
		Name: "teams", About: "digests into Microsoft Teams by a workflow's address: a notice, not a delivery", Acked: true, Formats: []string{"native"},
		New: func(e *Entry) (alert.Sink, error) { return newDigest(e, teamsMessage) },
	})
)

// digestConfig is the settings of a chat.
type digestConfig struct {
	// URLFile holds the incoming webhook's address, which is a secret.
	URLFile string `yaml:"url_file"`
	// Every is the least time between two messages. Default 1 min.
	Every   time.Duration `yaml:"every"`
	TLS     TLS           `yaml:"tls"`
	Proxy   string        `yaml:"proxy"`
	Timeout time.Duration `yaml:"timeout"`
}

// digest sends one message for all alerts that came since the last one.
type digest struct {
	*poster
	every time.Duration
	next  time.Time
	write func(title string, lines []string) any
	now   func() time.Time
}

// maxDigestLines bounds a message: Teams takes no more than 28 KB.
const maxDigestLines = 20

func newDigest(e *Entry, write func(string, []string) any) (alert.Sink, error) {
	c := digestConfig{Every: time.Minute}
	if err := e.Decode(&c); err != nil {
		return nil, err
	}
	if c.URLFile == "" {
		return nil, errors.New("url_file is missing: name the file with the address of the incoming webhook")
	}
	if c.Every < 0 {
		return nil, errors.New("every must not be negative")
	}
	address, err := secretLine(c.URLFile)
	if err != nil {
		return nil, err
	}
	to := Endpoint{URL: address, TLS: c.TLS, Proxy: c.Proxy, Timeout: c.Timeout}
	p, err := to.poster(false)
	if err != nil {
		return nil, errors.New("the file holds no address of a webhook: it begins with https://") // the address itself is a secret
	}
	p.hidden = true
	return &digest{poster: p, every: c.Every, write: write, now: time.Now}, nil
}

// Send implements alert.Sink. Before its time has come it settles nothing and asks for a
// pause, so that a digest holds all that came meanwhile.
func (d *digest) Send(ctx context.Context, batch []alert.Record) alert.Outcome {
	if wait := d.next.Sub(d.now()); wait > 0 {
		return alert.Outcome{After: wait}
	}
	title, lines := summary(batch)
	body, err := json.Marshal(d.write(title, lines))
	if err != nil {
		return alert.Outcome{Err: fmt.Errorf("writing a message: %w", err)}
	}
	a, err := d.post(ctx, "", body, "Content-Type", "application/json")
	if err != nil {
		return alert.Outcome{Err: fmt.Errorf("asking %s failed: see that it can be reached, and check proxy", d.base.Host)} // without the address
	}
	if a.status < 200 || a.status > 299 {
		return a.failure(d.base.Host)
	}
	d.next = d.now().Add(d.every)
	return alert.Outcome{Done: len(batch)}
}

// summary groups alerts by what they tell.
func summary(batch []alert.Record) (title string, lines []string) {
	hosts := map[string][]string{}
	var titles []string
	for i := range batch {
		a := batch[i].Alert
		t := string(a.Severity) + ": " + a.Title()
		who := ""
		if a.Finding != nil {
			who = a.Finding.Host.Addr.String()
			if a.Finding.Host.Name != "" {
				who += " " + a.Finding.Host.Name
			}
		}
		if _, known := hosts[t]; !known {
			titles = append(titles, t)
		}
		if who != "" && !slices.Contains(hosts[t], who) {
			hosts[t] = append(hosts[t], who)
		} else if _, known := hosts[t]; !known {
			hosts[t] = nil
		}
	}
	for i, t := range titles {
		if i == maxDigestLines {
			lines = append(lines, fmt.Sprintf("and %d more", len(titles)-i))
			break
		}
		lines = append(lines, t+hostList(hosts[t]))
	}
	return fmt.Sprintf("Telltale %s: %d alerts", batch[0].Sensor, len(batch)), lines
}

func hostList(hosts []string) string {
	const few = 5
	switch n := len(hosts); {
	case n == 0:
		return ""
	case n > few:
		return fmt.Sprintf(" on %s and %d more hosts", strings.Join(hosts[:few], ", "), n-few)
	}
	return " on " + strings.Join(hosts, ", ")
}

// slackMessage writes plain text blocks, in which nothing is a link, a mention or markup.
func slackMessage(title string, lines []string) any {
	type text struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	type block struct {
		Type string `json:"type"`
		Text text   `json:"text"`
	}
	const limit = 3000 // of a block
	body := strings.Join(lines, "\n")
	return map[string]any{
		"text": slackEscape(title),
		"blocks": []block{
			{"header", text{"plain_text", cut(title, 150)}},
			{"section", text{"plain_text", cut(body, limit)}},
		},
	}
}

// slackEscape escapes what begins links and mentions in a message's text.
func slackEscape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// teamsMessage writes an Adaptive Card whose texts are runs, which know no markup.
func teamsMessage(title string, lines []string) any {
	type run struct {
		Type   string `json:"type"`
		Text   string `json:"text"`
		Weight string `json:"weight,omitempty"`
	}
	type block struct {
		Type    string `json:"type"`
		Inlines []run  `json:"inlines"`
	}
	blocks := []block{{"RichTextBlock", []run{{"TextRun", title, "Bolder"}}}}
	for _, l := range lines {
		blocks = append(blocks, block{"RichTextBlock", []run{{"TextRun", cut(l, 800), ""}}})
	}
	return map[string]any{
		"type": "message",
		"attachments": []any{map[string]any{
			"contentType": "application/vnd.microsoft.card.adaptive",
			"content": map[string]any{
				"$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
				"type":    "AdaptiveCard", "version": "1.4", "body": blocks,
			},
		}},
	}
}

// cut shortens s to n bytes. Titles and hosts are ASCII.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n-3] + "..."
}

// Close implements alert.Sink.
func (d *digest) Close() error {
	d.close()
	return nil
}
