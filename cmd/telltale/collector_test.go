package main

import (
	"compress/gzip"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// collector is a strict fake of a receiver by HTTP, and all the trouble these make.
type collector struct {
	*httptest.Server
	take func(c *collector, w http.ResponseWriter, q *http.Request, body []byte)

	mu   sync.Mutex
	rand *rand.Rand
	ill  bool
	rows []ledgerRow
	has  map[string]bool
	acks map[int64]bool
}

// Poison that the two refuse, one alert in 64.
func hecPoison(id string) bool  { return id[0] == '3' && id[1] < '4' }
func bulkPoison(id string) bool { return id[0] == '5' && id[1] < '4' }

// maxRequest is the size from which on a request is refused with 413 while it is ill.
const maxRequest = 40_000

func newCollector(t *testing.T, take func(*collector, http.ResponseWriter, *http.Request, []byte)) *collector {
	c := &collector{take: take, rand: rand.New(rand.NewPCG(3, 4)), has: map[string]bool{}, acks: map[int64]bool{}}
	c.Server = httptest.NewUnstartedServer(c)
	c.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that are meant to fail
	t.Cleanup(func() { c.CloseClientConnections(); c.Close() })
	return c
}

func (c *collector) be(ill bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ill = ill
}

// ServeHTTP takes a request, or does what a receiver in trouble does.
func (c *collector) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := unpacked(q)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	ill := 0
	if c.ill {
		ill = c.rand.IntN(10)
	}
	c.mu.Unlock()
	switch {
	case ill == 1:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"text":"Server is busy","code":9}`)
	case ill == 2:
		w.WriteHeader(http.StatusTooManyRequests)
	case ill == 3:
		time.Sleep(2500 * time.Millisecond) // longer than the sink waits
	case ill == 4:
		c.answerLost(w, q, body)
	case ill > 5 && len(body) > maxRequest:
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	default:
		c.mu.Lock()
		defer c.mu.Unlock()
		c.take(c, w, q, body)
	}
}

// answerLost takes a request and ends the connection in the middle of the answer.
func (c *collector) answerLost(w http.ResponseWriter, q *http.Request, body []byte) {
	c.mu.Lock()
	c.take(c, httptest.NewRecorder(), q, body)
	c.mu.Unlock()
	conn, buf, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = buf.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"text\":\"Succ")
	_, _ = buf.Flush(), conn.Close()
}

func unpacked(q *http.Request) ([]byte, error) {
	if q.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(q.Body)
	}
	z, err := gzip.NewReader(q.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// hecTake answers as Splunk does: events before the bad one are taken.
func hecTake(c *collector, w http.ResponseWriter, q *http.Request, body []byte) {
	if q.Header.Get("Authorization") != "Splunk token" || q.Header.Get("X-Splunk-Request-Channel") == "" {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"text":"Invalid token","code":4}`)
		return
	}
	if q.URL.Path == "/services/collector/ack" {
		var ask struct{ Acks []int64 }
		if json.Unmarshal(body, &ask) != nil || len(ask.Acks) != 1 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		done := c.acks[ask.Acks[0]]
		c.acks[ask.Acks[0]] = true
		_, _ = fmt.Fprintf(w, `{"acks":{"%d":%v}}`, ask.Acks[0], done)
		return
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	for n := 0; ; n++ {
		var e struct {
			Time   float64
			Event  *ledgerRow
			Fields map[string]string
		}
		err := d.Decode(&e)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || e.Event == nil || e.Fields["telltale_event_id"] != e.Event.ID || hecPoison(e.Event.ID) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprintf(w, `{"text":"Invalid data format","code":6,"invalid-event-number":%d}`, n)
			return
		}
		c.rows = append(c.rows, *e.Event)
	}
	id := int64(len(c.acks))
	c.acks[id] = !c.ill || c.rand.IntN(4) > 0 // else indexed by the next time it asks
	_, _ = fmt.Fprintf(w, `{"text":"Success","code":0,"ackId":%d}`, id)
}

// bulkTake answers as Elasticsearch does: a status for each record.
func bulkTake(c *collector, w http.ResponseWriter, q *http.Request, body []byte) {
	lines := strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")
	if q.URL.Path != "/logs-telltale.alert-default/_bulk" || len(lines)%2 != 0 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var items []string
	for i := 0; i < len(lines); i += 2 {
		var act struct {
			Create struct {
				ID string `json:"_id"`
			}
		}
		var doc struct {
			Event struct {
				ID       string
				Sequence uint64
			}
		}
		status := 201
		switch err := errors.Join(json.Unmarshal([]byte(lines[i]), &act), json.Unmarshal([]byte(lines[i+1]), &doc)); {
		case err != nil || doc.Event.ID != act.Create.ID || bulkPoison(doc.Event.ID):
			status = 400
		case c.ill && c.rand.IntN(300) == 0:
			status = 429
		case c.has[doc.Event.ID]:
			status = 409
		default:
			c.has[doc.Event.ID] = true
		}
		if status == 201 || status == 409 {
			c.rows = append(c.rows, ledgerRow{doc.Event.ID, doc.Event.Sequence})
		}
		items = append(items, fmt.Sprintf(`{"create":{"status":%d,"error":{"type":"x"}}}`, status))
	}
	_, _ = io.WriteString(w, `{"errors":true,"items":[`+strings.Join(items, ",")+`]}`)
}

// receiver returns c behind a gate, for the entry that format makes of its address.
func (c *collector) receiver(t *testing.T, name, scheme, entry string, poison func(string) bool, also func(*rand.Rand) func()) *receiver {
	g := newGate(t, c.Listener.Addr().String())
	return &receiver{
		name: name, poison: poison, entry: fmt.Sprintf("{name: %s, timeout: 2s, url: %q, %s}", name, scheme+g.addr, entry),
		received: func(*testing.T) []ledgerRow {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.rows
		},
		disturb: func(r *rand.Rand) func() {
			c.be(true)
			mend := g.disturb(r, also)
			return func() { mend(); c.be(false) }
		},
	}
}

// hecReceiver is Splunk's collector over TLS with acknowledgement by the indexer. Now and
// then it shows a certificate that is not trusted.
func hecReceiver(t *testing.T) *receiver {
	cert, key := selfSigned(t, "splunk.test")
	good, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	other, err := tls.LoadX509KeyPair(selfSigned(t, "splunk.test"))
	if err != nil {
		t.Fatal(err)
	}
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("token"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := newCollector(t, hecTake)
	shown := &good
	c.TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		return shown, nil
	}}
	show := func(x *tls.Certificate) {
		c.mu.Lock()
		defer c.mu.Unlock()
		shown = x
	}
	c.StartTLS()
	entry := fmt.Sprintf("type: splunk, ack: true, token_file: %s, tls: {ca: %s, server_name: splunk.test}", token, cert)
	return c.receiver(t, "hec", "https://", entry, hecPoison, func(*rand.Rand) func() {
		show(&other)
		c.CloseClientConnections()
		return func() { show(&good) }
	})
}

// bulkReceiver is Elasticsearch.
func bulkReceiver(t *testing.T) *receiver {
	c := newCollector(t, bulkTake)
	c.Start()
	r := c.receiver(t, "bulk", "http://", "type: elasticsearch", bulkPoison, nil)
	r.unordered = true
	return r
}
