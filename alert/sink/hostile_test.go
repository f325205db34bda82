package sink

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kfake"

	"telltale/alert"
	"telltale/alert/format"
	"telltale/capture"
	"telltale/detect"
	"telltale/feeds"
)

// hostileRecords are alerts that hold texts which try to leave their field.
func hostileRecords(t *testing.T, target alert.Target) (all []alert.Record) {
	t.Helper()
	b, err := os.ReadFile("../testdata/hostile.txt")
	if err != nil {
		t.Fatal(err)
	}
	m := alert.Maker{Sensor: "sensor1", Packs: "p", Program: "1.0"}
	n := 0
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		if n++; testing.Short() && n%9 != 0 {
			continue
		}
		text, err := strconv.Unquote(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		name := string(capture.AppendEscaped(nil, []byte(text))) // as names are
		a := m.Change(detect.Change{Time: 1.7e18, Packet: uint64(len(all)), Finding: &detect.Finding{
			ID: strings.Repeat("ab", 12), Vendor: "kaspersky", Product: text, Class: feeds.Installed,
			Host: detect.Host{Addr: netip.MustParseAddr("10.0.0.1"), Name: name}, Names: []string{name}, Facts: []detect.Fact{{Text: text}},
			Contact: detect.Contact{
				Client: netip.MustParseAddrPort("10.0.0.1:50000"), Server: netip.MustParseAddrPort("198.51.100.1:443"),
				Transport: 6, Proto: capture.ProtoTLS, Name: name,
			},
		}})
		all = append(all, alert.Record{Alert: a, Sensor: a.Sensor, Body: target.Encode(nil, a)})
	}
	if n < 300 || len(all) < n/9 {
		t.Fatalf("%d texts only", len(all))
	}
	return all
}

// way is a sink and what a receiver of its kind makes of what it gets: one event each.
type way struct {
	config string
	events func(n int) []string
}

// TestHostileTextsArriveAsOneEvent: through each sink in each of its formats, every alert
// is one event at the receiver, and is what the encoder wrote.
func TestHostileTextsArriveAsOneEvent(t *testing.T) {
	tried := map[string]bool{}
	for name, begin := range ways {
		kind, _, _ := strings.Cut(name, " ")
		tried[kind] = true
		typ, _ := typeNamed(kind)
		for _, f := range format.Formats() {
			if len(typ.Formats) > 0 && !slices.Contains(typ.Formats, f.Name) || name == "webhook list" && (f.Name == "cef" || f.Name == "leef") {
				continue
			}
			t.Run(name+" "+f.Name, func(t *testing.T) {
				w := begin(t)
				target := sinkFrom(t, "type: "+kind+"\nformat: "+f.Name+"\n"+w.config)
				batch := hostileRecords(t, target)
				if refused := deliver(t, target, batch); len(refused) > 0 {
					t.Fatalf("refused %v", refused)
				}
				got := w.events(len(batch))
				if len(got) != len(batch) {
					t.Fatalf("%d events of %d alerts", len(got), len(batch))
				}
				for i := range batch {
					if got[i] != string(batch[i].Body) {
						t.Fatalf("event %d is\n%q, want\n%q", i, got[i], batch[i].Body)
					}
				}
			})
		}
	}
	for _, typ := range Types() { // those that send no events, or to no receiver, are tested below
		if !tried[typ.Name] && !slices.Contains([]string{"slack", "teams", "stdout"}, typ.Name) {
			t.Errorf("%s is not tried", typ.Name)
		}
	}
}

var ways = map[string]func(t *testing.T) way{
	"file":          fileWay,
	"syslog octets": func(t *testing.T) way { return syslogWay(t, "octets") },
	"syslog lines":  func(t *testing.T) way { return syslogWay(t, "lines") },
	"relp":          relpWay,
	"splunk":        splunkWay,
	"elasticsearch": elasticWay,
	"webhook each":  func(t *testing.T) way { return webhookWay(t, "each") },
	"webhook list":  func(t *testing.T) way { return webhookWay(t, "list") },
	"webhook lines": func(t *testing.T) way { return webhookWay(t, "lines") },
	"kafka":         kafkaWay,
	"nats":          natsWay,
}

func fileWay(t *testing.T) way {
	path := filepath.Join(t.TempDir(), "alerts")
	return way{"path: " + path, func(int) []string { return textLines(content(t, path)) }}
}

func textLines(s string) []string { return strings.Split(strings.TrimSuffix(s, "\n"), "\n") }

// syslogWay is a receiver by TCP, which takes the messages apart by octets or by lines.
func syslogWay(t *testing.T, framing string) way {
	l := listen(t)
	config := "transport: tcp\nhostname: s\nframing: " + framing + "\naddress: " + l.Addr().String()
	if framing == "octets" {
		c := collect(t, l)
		return way{config, func(n int) []string { return syslogBodies(t, c.messages(t, n)) }}
	}
	got := make(chan string, 1000)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		for in := bufio.NewScanner(conn); in.Scan(); {
			got <- in.Text()
		}
		close(got)
	}()
	return way{config, func(n int) []string {
		var all []string
		for range n {
			all = append(all, <-got)
		}
		return syslogBodies(t, all)
	}}
}

// syslogBodies takes the headers away, by an independent parser where there is one.
func syslogBodies(t *testing.T, messages []string) (all []string) {
	t.Helper()
	for _, m := range messages {
		if _, body, ok := strings.Cut(m, "Z s LEEF:2.0|"); ok {
			all = append(all, "LEEF:2.0|"+body)
			continue
		}
		got, err := rfc5424.NewParser().Parse([]byte(m))
		if err != nil {
			t.Fatalf("%v: %q", err, m)
		}
		all = append(all, *got.(*rfc5424.SyslogMessage).Message)
	}
	return all
}

func relpWay(t *testing.T) way {
	l := listen(t)
	t.Cleanup(func() { _ = l.Close() })
	s := &relpServer{breakAfter: 1e9}
	go s.serve(l)
	return way{"plain: true\nhostname: s\naddress: " + l.Addr().String(), func(int) []string {
		s.mu.Lock()
		defer s.mu.Unlock()
		return syslogBodies(t, s.got)
	}}
}

func splunkWay(t *testing.T) way {
	r := newReceiver(t, splunk)
	return way{"url: " + r.URL + "\ntoken_file: " + secretFile(t, "token"), func(int) (all []string) {
		d := json.NewDecoder(strings.NewReader(strings.Join(r.bodies, "")))
		for d.More() {
			var e map[string]json.RawMessage
			if err := d.Decode(&e); err != nil || len(e) != 6 {
				t.Fatalf("%v %v", err, e)
			}
			all = append(all, string(e["event"]))
		}
		return all
	}}
}

func elasticWay(t *testing.T) way {
	r := newReceiver(t, func(_ *receiver, w http.ResponseWriter, _ *http.Request, body []byte) {
		n := bytes.Count(body, []byte("\n")) / 2
		_, _ = io.WriteString(w, `{"errors":false,"items":[`+strings.TrimSuffix(strings.Repeat(`{"create":{"status":201}},`, n), ",")+`]}`)
	})
	return way{"url: " + r.URL, func(int) (all []string) {
		for i, line := range textLines(strings.Join(r.bodies, "")) {
			if i%2 == 1 {
				all = append(all, line)
			} else if !strings.HasPrefix(line, `{"create":{"_id":"`) {
				t.Fatalf("no action: %q", line)
			}
		}
		return all
	}}
}

func webhookWay(t *testing.T, mode string) way {
	r := newReceiver(t, func(*receiver, http.ResponseWriter, *http.Request, []byte) {})
	return way{"mode: " + mode + "\nurl: " + r.URL, func(int) (all []string) {
		for _, body := range r.bodies {
			var list []json.RawMessage
			switch {
			case mode == "each":
				all = append(all, body)
			case mode == "lines":
				all = append(all, textLines(body)...)
			case json.Unmarshal([]byte(body), &list) != nil:
				t.Fatalf("no list: %q", body)
			}
			for _, x := range list {
				all = append(all, string(x))
			}
		}
		return all
	}}
}

func kafkaWay(t *testing.T) way {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "telltale"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return way{"plain: true\nbrokers: [" + strings.Join(cluster.ListenAddrs(), ", ") + "]", func(n int) (all []string) {
		for _, r := range consumed(t, cluster, n) {
			all = append(all, string(r.Value))
		}
		return all
	}}
}

func natsWay(t *testing.T) way {
	s := natsServer(t, t.TempDir(), -1, 1<<20)
	conn, err := nats.Connect(s.ClientURL(), nats.Token("word"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	stream, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "ALERTS", Subjects: []string{"telltale.alerts.*"}})
	if err != nil {
		t.Fatal(err)
	}
	return way{"url: " + s.ClientURL() + "\ntoken_file: " + secretFile(t, "word"), func(n int) (all []string) {
		for i := range n {
			m, err := stream.GetMsg(ctx, uint64(i+1))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(m.Data))
		}
		return all
	}}
}

// TestHostileTextsInDatagrams: each alert is one datagram, which is no longer than what
// every receiver takes.
func TestHostileTextsInDatagrams(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	b := make([]byte, 9000)
	for _, f := range format.Formats() {
		target := sinkFrom(t, "type: syslog\ntransport: udp\nhostname: s\nformat: "+f.Name+"\naddress: "+conn.LocalAddr().String())
		for _, r := range hostileRecords(t, target) {
			deliver(t, target, []alert.Record{r})
			_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
			n, _, err := conn.ReadFrom(b)
			if err != nil {
				t.Fatal(err)
			}
			got := syslogBodies(t, []string{string(b[:n])})[0]
			if got != string(r.Body) && (len(r.Body) < 1700 || n > maxDatagram) {
				t.Fatalf("%s: got\n%q, want\n%q", f.Name, got, r.Body)
			}
		}
	}
}

// TestHostileTextsOnStandardOutput: a line each.
func TestHostileTextsOnStandardOutput(t *testing.T) {
	for _, f := range format.Formats() {
		target := sinkFrom(t, "type: stdout\nformat: "+f.Name)
		batch := hostileRecords(t, target)
		var out bytes.Buffer
		target.Sink.(*stdout).w = &out
		deliver(t, target, batch)
		got := textLines(out.String())
		if len(got) != len(batch) {
			t.Errorf("%s: %d lines of %d alerts", f.Name, len(got), len(batch))
		}
	}
}

// TestHostileTextsInDigests: chats get one message, in which names are no markup: Slack's
// stand in plain text, Teams' in runs of text.
func TestHostileTextsInDigests(t *testing.T) {
	for _, kind := range []string{"slack", "teams"} {
		r := newReceiver(t, func(*receiver, http.ResponseWriter, *http.Request, []byte) {})
		target := sinkFrom(t, "type: "+kind+"\nevery: 0s\nurl_file: "+secretFile(t, r.URL))
		for _, record := range hostileRecords(t, target) {
			deliver(t, target, []alert.Record{record})
		}
		if len(r.bodies) < 40 {
			t.Errorf("%s: %d messages", kind, len(r.bodies))
		}
		for _, body := range r.bodies {
			var v any
			if err := json.Unmarshal([]byte(body), &v); err != nil {
				t.Fatalf("%s: %v: %s", kind, err, body)
			}
			if bad := markup(v, kind); bad != "" {
				t.Fatalf("%s: %s in %s", kind, bad, body)
			}
		}
	}
	if markup(map[string]any{"type": "mrkdwn", "text": "<!channel>"}, "slack") == "" || markup(map[string]any{"type": "TextBlock", "text": "x"}, "teams") == "" {
		t.Error("markup is not seen")
	}
}

// markup returns a text of a message that a chat would read as more than text.
func markup(v any, kind string) string {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			if bad := markup(x, kind); bad != "" {
				return bad
			}
		}
	case map[string]any:
		if text, ok := v["text"].(string); ok {
			plain := v["type"] == map[string]string{"slack": "plain_text", "teams": "TextRun"}[kind]
			escaped := v["type"] == nil && !strings.ContainsAny(text, "<>")
			if !plain && !escaped {
				return fmt.Sprintf("%v %q", v["type"], text)
			}
		}
		for _, x := range v {
			if bad := markup(x, kind); bad != "" {
				return bad
			}
		}
	}
	return ""
}
