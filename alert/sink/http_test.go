package sink

import (
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"telltale/alert"
)

// receiver is a strict fake: what the real ones refuse, it refuses.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	ids    []string             // alerts taken, in order
	busy   int                  // requests to answer 503 first
	poison func(id string) bool // alerts that are never taken
	limit  int                  // bytes of a request, 0 for any
	acks   map[int64]bool
	bodies []string
}

func newReceiver(t *testing.T, handle func(*receiver, http.ResponseWriter, *http.Request, []byte)) *receiver {
	t.Helper()
	r := &receiver{acks: map[int64]bool{}, poison: func(string) bool { return false }}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		body, err := bodyOf(q)
		switch {
		case err != nil || q.Method != http.MethodPost:
			w.WriteHeader(http.StatusBadRequest)
		case r.busy > 0:
			r.busy--
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"text":"Server is busy","code":9}`)
		case r.limit > 0 && len(body) > r.limit:
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		default:
			r.bodies = append(r.bodies, string(body))
			handle(r, w, q, body)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func bodyOf(q *http.Request) ([]byte, error) {
	if q.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(q.Body)
	}
	z, err := gzip.NewReader(q.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// holds tells whether the alerts that were taken are exactly those of the batch, in
// order, some left out.
func (r *receiver) holds(t *testing.T, batch []alert.Record, but ...int) {
	t.Helper()
	var want []string
	for i := range batch {
		if !slices.Contains(but, i) {
			want = append(want, batch[i].Alert.ID)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var got []string
	for _, id := range r.ids {
		if !slices.Contains(got, id) {
			got = append(got, id)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d alerts were taken, want %d in order", len(got), len(want))
	}
}

// splunk answers as HTTP Event Collector does: events before the bad one are taken.
func splunk(r *receiver, w http.ResponseWriter, q *http.Request, body []byte) {
	reply := func(status int, text string) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
	if q.Header.Get("Authorization") != "Splunk token" {
		reply(http.StatusForbidden, `{"text":"Invalid token","code":4}`)
		return
	}
	channel := q.Header.Get("X-Splunk-Request-Channel")
	if q.URL.Path == "/services/collector/ack" {
		var ask struct{ Acks []int64 }
		if json.Unmarshal(body, &ask) != nil || len(ask.Acks) != 1 || q.URL.Query().Get("channel") != channel {
			reply(http.StatusBadRequest, `{"text":"Invalid data channel","code":11}`)
			return
		}
		done := r.acks[ask.Acks[0]]
		r.acks[ask.Acks[0]] = true // indexed by the next time
		reply(http.StatusOK, fmt.Sprintf(`{"acks":{"%d":%v}}`, ask.Acks[0], done))
		return
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	for n := 0; ; n++ {
		var e struct {
			Time       float64
			Host       string
			Sourcetype string
			Event      map[string]any
			Fields     map[string]string
		}
		if err := d.Decode(&e); err == io.EOF {
			break
		} else if err != nil || e.Event == nil || e.Host != "sensor1" || e.Time == 0 || r.poison(e.Fields["telltale_event_id"]) {
			reply(http.StatusBadRequest, fmt.Sprintf(`{"text":"Invalid data format","code":6,"invalid-event-number":%d}`, n))
			return
		}
		r.ids = append(r.ids, e.Fields["telltale_event_id"])
	}
	id := int64(len(r.acks))
	r.acks[id] = false
	reply(http.StatusOK, fmt.Sprintf(`{"text":"Success","code":0,"ackId":%d}`, id))
}

func TestSplunk(t *testing.T) {
	r := newReceiver(t, splunk)
	target := sinkFrom(t, "type: splunk\nack: true\nurl: "+r.URL+"\ntoken_file: "+secretFile(t, "token\n"))
	target.Sink.(*hec).poll = time.Millisecond
	batch := records(target, 50)
	r.busy, r.limit = 2, 6000
	r.poison = func(id string) bool { return id == batch[7].Alert.ID || id == batch[49].Alert.ID }
	o, _ := send(t, target, batch)
	if o.Err == nil || o.After != time.Second || o.Done != 0 {
		t.Fatalf("busy: %+v", o)
	}
	if refused := deliver(t, target, batch); len(refused) != 2 || !strings.Contains(refused[0], "8: Splunk answered code 6") {
		t.Errorf("refused %v", refused)
	}
	r.holds(t, batch, 7, 49)

	wrong := sinkFrom(t, "type: splunk\nurl: "+r.URL+"\ntoken_file: "+secretFile(t, "other"))
	if o, _ := send(t, wrong, batch[:1]); o.Err == nil || o.Done != 0 || !strings.Contains(o.Err.Error(), "check the token") {
		t.Errorf("a wrong token: %+v", o)
	}
	eve := sinkFrom(t, "type: splunk\nformat: eve\nurl: "+r.URL+"\ntoken_file: "+secretFile(t, "token"))
	deliver(t, eve, records(eve, 1))
	if last := r.bodies[len(r.bodies)-1]; !strings.Contains(last, `"sourcetype":"suricata"`) {
		t.Error(last)
	}
}

// TestSplunkAckNeverComes: the batch is not settled, and is sent again.
// TestSplunkSaysNotWhich: an answer without the number of the event that is the reason
// holds up nothing.
func TestSplunkSaysNotWhich(t *testing.T) {
	r := newReceiver(t, func(r *receiver, w http.ResponseWriter, _ *http.Request, body []byte) {
		var ids []string
		for _, line := range strings.Split(strings.TrimSpace(string(body)), "\n") {
			var e struct{ Fields map[string]string }
			if err := json.Unmarshal([]byte(line), &e); err != nil || r.poison(e.Fields["telltale_event_id"]) {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, `{"text":"Invalid data format","code":6}`)
				return
			}
			ids = append(ids, e.Fields["telltale_event_id"])
		}
		r.ids = append(r.ids, ids...)
		_, _ = io.WriteString(w, `{"text":"Success","code":0}`)
	})
	target := sinkFrom(t, "type: splunk\nurl: "+r.URL+"\ntoken_file: "+secretFile(t, "token"))
	batch := records(target, 20)
	r.poison = func(id string) bool { return id == batch[13].Alert.ID }
	if refused := deliver(t, target, batch); len(refused) != 1 || !strings.HasPrefix(refused[0], "14: Splunk answered code 6") {
		t.Errorf("refused %v", refused)
	}
	r.holds(t, batch, 13)
}

func TestSplunkAckNeverComes(t *testing.T) {
	r := newReceiver(t, func(r *receiver, w http.ResponseWriter, q *http.Request, body []byte) {
		if q.URL.Path == "/services/collector/ack" {
			_, _ = io.WriteString(w, `{"acks":{"0":false}}`)
			return
		}
		_, _ = io.WriteString(w, `{"text":"Success","code":0,"ackId":0}`)
	})
	target := sinkFrom(t, "type: splunk\nack: true\nack_timeout: 50ms\nurl: "+r.URL+"\ntoken_file: "+secretFile(t, "token"))
	target.Sink.(*hec).poll = 5 * time.Millisecond
	if o, _ := send(t, target, records(target, 1)); o.Err == nil || o.Done != 0 {
		t.Errorf("%+v", o)
	}
}

// bulk answers as Elasticsearch does: 200, and a status for each item.
func bulk(r *receiver, w http.ResponseWriter, q *http.Request, body []byte) {
	if q.Header.Get("Content-Type") != "application/x-ndjson" || q.URL.Path != "/logs-telltale.alert-default/_bulk" || !strings.HasSuffix(string(body), "\n") {
		w.WriteHeader(http.StatusNotAcceptable)
		return
	}
	lines := strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")
	var items []string
	for i := 0; i+1 < len(lines); i += 2 {
		var act struct {
			Create struct {
				ID string `json:"_id"`
			}
		}
		var doc struct {
			At    string `json:"@timestamp"`
			Event struct{ ID string }
		}
		status := 201
		switch {
		case json.Unmarshal([]byte(lines[i]), &act) != nil || json.Unmarshal([]byte(lines[i+1]), &doc) != nil || doc.At == "" || doc.Event.ID != act.Create.ID || r.poison(act.Create.ID):
			status = 400
		case slices.Contains(r.ids, act.Create.ID):
			status = 409
		case len(items) == 5 && len(r.ids) == 5:
			status = 429 // once, in the middle of a batch
			r.ids = append(r.ids, "later")
		default:
			r.ids = append(r.ids, act.Create.ID)
		}
		items = append(items, fmt.Sprintf(`{"create":{"status":%d,"error":{"type":"x"}}}`, status))
	}
	_, _ = io.WriteString(w, `{"errors":true,"items":[`+strings.Join(items, ",")+`]}`)
}

func TestElasticsearch(t *testing.T) {
	r := newReceiver(t, bulk)
	target := sinkFrom(t, "type: elasticsearch\nurl: "+r.URL+"/\nuser: elastic\npassword_file: "+secretFile(t, "word"))
	batch := records(target, 40)
	r.busy, r.limit = 1, 20000
	r.poison = func(id string) bool { return id == batch[11].Alert.ID }
	if refused := deliver(t, target, batch); len(refused) != 1 || !strings.HasPrefix(refused[0], "12: status 400") {
		t.Errorf("refused %v", refused)
	}
	if refused := deliver(t, target, batch[:3]); len(refused) != 0 {
		t.Errorf("sent again: %v", refused)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range batch {
		n := 0
		for _, id := range r.ids {
			if id == batch[i].Alert.ID {
				n++
			}
		}
		if want := 1; i != 11 && n != want {
			t.Errorf("alert %d was stored %d times", i+1, n)
		}
	}
}

// TestElasticsearchIsBusy: records before the one that is put off are settled, and the
// pause asked for is kept.
func TestElasticsearchIsBusy(t *testing.T) {
	r := newReceiver(t, func(_ *receiver, w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Retry-After", "7")
		_, _ = io.WriteString(w, `{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":429}},{"create":{"status":201}}]}`)
	})
	target := sinkFrom(t, "type: elasticsearch\nurl: "+r.URL)
	o, _ := send(t, target, records(target, 3))
	if o.Done != 1 || o.Err == nil || o.After != 7*time.Second {
		t.Errorf("%+v", o)
	}
}

// TestElasticsearchConfiguration: what speaks of the key or the index refuses no alert.
func TestElasticsearchConfiguration(t *testing.T) {
	for status, want := range map[int]string{401: "check the token", 404: "check url", 302: "redirects are not followed", 500: "receiver's log"} {
		r := newReceiver(t, func(_ *receiver, w http.ResponseWriter, _ *http.Request, _ []byte) { w.WriteHeader(status) })
		target := sinkFrom(t, "type: elasticsearch\nurl: "+r.URL)
		if o, _ := send(t, target, records(target, 2)); o.Done != 0 || o.Err == nil || !strings.Contains(o.Err.Error(), want) {
			t.Errorf("%d: %+v", status, o)
		}
	}
}

func TestWebhook(t *testing.T) {
	key := "shared secret"
	r := newReceiver(t, func(r *receiver, w http.ResponseWriter, q *http.Request, body []byte) {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(q.Header.Get("X-Telltale-Timestamp") + "."))
		mac.Write(body)
		if q.Header.Get("X-Telltale-Signature") != "sha256="+hex.EncodeToString(mac.Sum(nil)) || q.URL.RawQuery != "team=a" || q.Header.Get("X-Team") != "net" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var list []struct{ ID string }
		text := strings.TrimSpace(string(body))
		if !strings.HasPrefix(text, "[") {
			text = "[" + strings.ReplaceAll(text, "\n", ",") + "]"
		}
		if json.Unmarshal([]byte(text), &list) != nil || slices.ContainsFunc(list, func(a struct{ ID string }) bool { return r.poison(a.ID) }) {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		for _, a := range list {
			r.ids = append(r.ids, a.ID)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	for _, mode := range []string{"each", "list", "lines"} {
		r.ids = nil
		target := sinkFrom(t, "type: webhook\nmode: "+mode+"\nurl: "+r.URL+"/hook?team=a\nheaders: {X-Team: net}\nsecret_file: "+secretFile(t, key))
		batch := records(target, 20)
		r.poison = func(id string) bool { return id == batch[13].Alert.ID }
		if refused := deliver(t, target, batch); len(refused) != 1 || !strings.HasPrefix(refused[0], "14: ") {
			t.Errorf("%s: refused %v", mode, refused)
		}
		r.holds(t, batch, 13)
	}
}

func TestWebhookTemplate(t *testing.T) {
	r := newReceiver(t, func(_ *receiver, _ http.ResponseWriter, _ *http.Request, _ []byte) {})
	tmpl := writeFile(t, "t", `{"summary":{{json .text}},"ticket":"{{.kind}} from {{.sensor}}"{{with .host}},"ip":{{json .ip}}{{end}}}`, 0o644)
	target := sinkFrom(t, "type: webhook\nurl: "+r.URL+"\ntemplate: "+tmpl)
	deliver(t, target, records(target, 1))
	if want := `{"summary":"text 0","ticket":"health.test from sensor1"}`; r.bodies[0] != want {
		t.Errorf("got %s, want %s", r.bodies[0], want)
	}
}

// TestWebhookTemplateDoesNotFit: an alert that lacks what the template wants goes to the
// dead letters and holds up none.
func TestWebhookTemplateDoesNotFit(t *testing.T) {
	r := newReceiver(t, func(_ *receiver, _ http.ResponseWriter, _ *http.Request, _ []byte) {})
	tmpl := writeFile(t, "t", `{{if eq .text "text 1"}}{{index .names 0}}{{end}}{{.text}}`, 0o644)
	target := sinkFrom(t, "type: webhook\nurl: "+r.URL+"\ntemplate: "+tmpl)
	refused := deliver(t, target, records(target, 3))
	if len(refused) != 1 || !strings.HasPrefix(refused[0], "2: filling the template") || !strings.Contains(refused[0], "telltale outbox retry") {
		t.Errorf("refused %v", refused)
	}
	if !slices.Equal(r.bodies, []string{"text 0", "text 2"}) {
		t.Errorf("got %q", r.bodies)
	}
}

// TestDigests: one message for what came meanwhile; what a name holds is no markup.
func TestDigests(t *testing.T) {
	for _, kind := range []string{"slack", "teams"} {
		r := newReceiver(t, func(_ *receiver, w http.ResponseWriter, _ *http.Request, _ []byte) {
			w.WriteHeader(http.StatusAccepted)
		})
		target := sinkFrom(t, "type: "+kind+"\nevery: 1h\nurl_file: "+secretFile(t, r.URL+"/services/T0/B0/secret\n"))
		batch := records(target, 200)
		if o, steps := send(t, target, batch); o.Done != 200 || strings.Contains(fmt.Sprint(steps), "secret") {
			t.Fatalf("%+v, %v: the address is a secret", o, steps)
		}
		if o, _ := send(t, target, batch); o.Done != 0 || o.Err != nil || o.After < 59*time.Minute {
			t.Fatalf("too early: %+v", o)
		}
		if len(r.bodies) != 1 || len(r.bodies[0]) > 28000 || !strings.Contains(r.bodies[0], "200 alerts") {
			t.Errorf("%d messages, %s", len(r.bodies), r.bodies[0])
		}
		r.Close()
		target.Sink.(*digest).next = time.Time{}
		if o, _ := send(t, target, batch); o.Err == nil || strings.Contains(o.Err.Error(), "secret") {
			t.Errorf("the address is a secret: %v", o.Err)
		}
	}
	text, err := json.Marshal(slackMessage("<!channel> & <@U1>", []string{"<!everyone>"}))
	if err != nil || strings.Contains(string(text), `"text":"<!channel>`) && !strings.Contains(string(text), "plain_text") {
		t.Errorf("%s %v", text, err)
	}
}

// TestHalving: a batch that is too large is halved, not given up nor sent one by one.
func TestHalving(t *testing.T) {
	var sizes []int
	batch := make([]alert.Record, 40)
	for len(batch) > 0 {
		o := halving(batch, func(some []alert.Record) (alert.Outcome, bool) {
			sizes = append(sizes, len(some))
			return alert.Outcome{Done: len(some)}, len(some) > 10
		})
		batch = batch[o.Done:]
	}
	if want := []int{40, 20, 10, 30, 15, 7, 23, 11, 5, 18, 9, 9}; !slices.Equal(sizes, want) {
		t.Errorf("sizes %v, want %v", sizes, want)
	}
}

// TestTooLargeAlone: a record that alone is too large is refused, and holds up none.
func TestTooLargeAlone(t *testing.T) {
	batch := make([]alert.Record, 3)
	o := halving(batch, func([]alert.Record) (alert.Outcome, bool) { return alert.Outcome{}, true })
	if o.Done != 1 || len(o.Refused) != 1 || o.Refused[0].Index != 0 || !strings.Contains(o.Refused[0].Reason, "too large") {
		t.Errorf("%+v", o)
	}
}

func TestRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "999999": 24 * time.Hour} {
		a := answer{header: http.Header{"Retry-After": {value}}}
		if got := a.after(); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	a := answer{header: http.Header{"Retry-After": {time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)}}}
	if got := a.after(); got < 50*time.Second || got > time.Minute {
		t.Errorf("a date: %v", got)
	}
}
