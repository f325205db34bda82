package sink

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"text/template"
	"time"

	"telltale/alert"
)

var _ = register(Type{
	Name:         "webhook",
	About:        "HTTP POST of single alerts, lists or lines, or of a template; optionally signed",
	Acked:        true,
	Observations: true,
	New:          newWebhook,
})

// webhookConfig is the settings of a webhook.
type webhookConfig struct {
	Endpoint `yaml:",inline"`
	// Mode is each (default: a request an alert), list (a JSON list) or lines.
	Mode string `yaml:"mode"`
	// Headers are sent with each request. What is secret belongs into TokenFile.
	Headers map[string]string `yaml:"headers"`
	// TokenFile holds a token, sent as "Authorization: Bearer".
	TokenFile string `yaml:"token_file"`
	// SecretFile holds the key of a signature: X-Telltale-Signature is "sha256=" and the
	// HMAC, in hexadecimal, of X-Telltale-Timestamp (seconds since 1970), a dot and the
	// body.
	SecretFile string `yaml:"secret_file"`
	// Template is a file with a Go text/template of the body, with mode each. It is given
	// the fields of the native form; {{json .host.name}} writes a value as JSON.
	Template string `yaml:"template"`
}

type webhook struct {
	*poster
	mode        string
	headers     []string
	key         []byte
	template    *template.Template
	contentType string
	now         func() time.Time
}

func newWebhook(e *Entry) (alert.Sink, error) {
	c := webhookConfig{Mode: "each"}
	if err := e.Decode(&c); err != nil {
		return nil, err
	}
	p, err := c.poster(false)
	w := &webhook{poster: p, mode: c.Mode, now: time.Now, contentType: contentType(e.Format, c.Mode)}
	return w, errors.Join(err, w.configure(&c, e.Format))
}

func contentType(format, mode string) string {
	switch {
	case format == "cef" || format == "leef":
		return "text/plain; charset=us-ascii"
	case mode == "lines":
		return "application/x-ndjson"
	}
	return "application/json"
}

func (w *webhook) configure(c *webhookConfig, format string) error {
	var errs []error
	if c.Mode != "each" && c.Mode != "list" && c.Mode != "lines" {
		errs = append(errs, fmt.Errorf("mode %q: use each, list or lines", c.Mode))
	}
	if c.Mode == "list" && (format == "cef" || format == "leef") {
		errs = append(errs, fmt.Errorf("a list of %s is no JSON: use mode lines", format))
	}
	for k, v := range c.Headers {
		w.headers = append(w.headers, k, v)
	}
	if c.TokenFile != "" {
		token, err := secretLine(c.TokenFile)
		errs = append(errs, err)
		w.headers = append(w.headers, "Authorization", "Bearer "+token)
	}
	if c.SecretFile != "" {
		key, err := readSecret(c.SecretFile)
		errs = append(errs, err)
		w.key = []byte(key)
	}
	if c.Template != "" {
		errs = append(errs, w.read(c.Template))
		if c.Mode != "each" || format != "native" {
			errs = append(errs, errors.New("a template goes with mode each and format native"))
		}
	}
	return errors.Join(errs...)
}

func (w *webhook) read(name string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("reading the template: %w", err)
	}
	w.template, err = template.New(name).Funcs(template.FuncMap{"json": asJSON, "join": strings.Join}).Option("missingkey=zero").Parse(string(b))
	if err != nil {
		return fmt.Errorf("reading the template: %w", err)
	}
	return nil
}

func asJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// templateError is why the template has no form for an alert, however often it is tried.
type templateError struct{ error }

func (e *templateError) Error() string {
	return "filling the template: " + e.error.Error() + ": mend the template, then 'telltale outbox retry'"
}

// Send implements alert.Sink.
func (w *webhook) Send(ctx context.Context, batch []alert.Record) alert.Outcome {
	if w.mode != "each" {
		return halving(batch, func(some []alert.Record) (alert.Outcome, bool) { return w.together(ctx, some) })
	}
	var o alert.Outcome
	for i := range batch {
		a, err := w.single(ctx, &batch[i])
		var t *templateError
		switch {
		case errors.As(err, &t): // the next one may have what the template wants
			o.Refused = append(o.Refused, alert.Refusal{Index: i, Reason: err.Error()})
		case err != nil:
			o.Err = err
			return o
		case a.status >= 200 && a.status < 300:
		case unfit(a.status):
			o.Refused = append(o.Refused, alert.Refusal{Index: i, Reason: fmt.Sprintf("status %d %s", a.status, a.excerpt())})
		default:
			failed := a.failure(w.base.Host)
			o.Err, o.After = failed.Err, failed.After
			return o
		}
		o.Done++
	}
	return o
}

// unfit says that a status speaks of this request's content, and that the same content
// will never be taken.
func unfit(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

func (w *webhook) single(ctx context.Context, r *alert.Record) (answer, error) {
	body := r.Body
	if w.template != nil {
		var fields map[string]any
		if err := json.Unmarshal(r.Body, &fields); err != nil {
			return answer{}, fmt.Errorf("reading an alert for the template: %w", err)
		}
		var b bytes.Buffer
		if err := w.template.Execute(&b, fields); err != nil {
			return answer{}, &templateError{err}
		}
		body = b.Bytes()
	}
	headers := w.sign(body)
	if r.Alert != nil {
		headers = append(headers, "X-Telltale-Event-Id", r.Alert.ID)
	}
	return w.post(ctx, "", body, headers...)
}

func (w *webhook) together(ctx context.Context, batch []alert.Record) (alert.Outcome, bool) {
	var body []byte
	for i := range batch {
		switch {
		case w.mode == "list" && i == 0:
			body = append(body, '[')
		case w.mode == "list":
			body = append(body, ',')
		}
		body = append(body, batch[i].Body...)
		if w.mode == "lines" {
			body = append(body, '\n')
		}
	}
	if w.mode == "list" {
		body = append(body, ']')
	}
	a, err := w.post(ctx, "", body, w.sign(body)...)
	switch {
	case err != nil:
		return alert.Outcome{Err: err}, false
	case a.status >= 200 && a.status < 300:
		return alert.Outcome{Done: len(batch)}, false
	case unfit(a.status) && len(batch) > 1:
		return alert.Outcome{}, true // one of them is: halving finds it
	case unfit(a.status):
		return alert.Outcome{Done: 1, Refused: []alert.Refusal{{Reason: fmt.Sprintf("status %d %s", a.status, a.excerpt())}}}, false
	}
	return a.failure(w.base.Host), false
}

// sign returns the headers of a request.
func (w *webhook) sign(body []byte) []string {
	headers := append([]string{"Content-Type", w.contentType}, w.headers...)
	if w.key == nil {
		return headers
	}
	at := strconv.FormatInt(w.now().Unix(), 10)
	mac := hmac.New(sha256.New, w.key)
	mac.Write([]byte(at + "."))
	mac.Write(body)
	return append(headers, "X-Telltale-Timestamp", at, "X-Telltale-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
}

// Close implements alert.Sink.
func (w *webhook) Close() error {
	w.close()
	return nil
}
