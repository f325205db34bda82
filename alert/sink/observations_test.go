package sink

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"telltale/alert"
	"telltale/capture"
)

func logsFrom(t *testing.T, text string) ([]LogTarget, error) {
	t.Helper()
	var list []Entry
	if err := yaml.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	targets, err := Observations(list)
	for _, x := range targets {
		t.Cleanup(func() { _ = x.Sink.Close() })
	}
	return targets, err
}

// TestObservationEntries: the form is that of observations, not of alerts; what is wrong
// is said all at once.
func TestObservationEntries(t *testing.T) {
	path := writeFile(t, "log", "", 0o600)
	list, err := logsFrom(t, "[{type: file, path: "+path+"}, {type: file, name: b, format: ocsf, protocols: [dns], path: "+path+"}]")
	if err != nil || len(list) != 2 || list[0].Form.Name != "native" || list[0].Name != "file" || list[1].Form.Name != "ocsf" || list[1].Protocols[0] != "dns" {
		t.Errorf("%+v, %v", list, err)
	}
	_, err = logsFrom(t, `
- {type: file, path: x, format: cef}
- {type: syslog, address: "h:1"}
- {type: file, path: x, min_severity: high}
- {type: nats, url: "nats://h:1", protocols: [smtp]}
`)
	for _, want := range []string{
		`sink 1 (file): unknown form of observations "cef": use one of eve, eve7, native, ocsf`,
		`sink 2 (syslog): type "syslog" does not take observations: use one of file, kafka, nats, splunk, stdout, webhook`,
		"sink 3 (file): batch, kinds, classes, vendors, policies and min_severity are for alerts: remove them",
		`sink 4 (nats): unknown protocol "smtp"`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}

// TestObservationsToBrokers: Kafka and NATS take events of Suricata's form, which belong
// to no alert.
func TestObservationsToBrokers(t *testing.T) {
	o := &capture.Observation{
		Time: 1.7e18, Packet: 5, Flow: 3, Proto: capture.ProtoDNS, Kind: capture.Request, Transport: 17, Name: []byte("a.example"),
		Client: netip.MustParseAddrPort("10.0.0.1:50000"), Server: netip.MustParseAddrPort("10.0.0.53:53"), DNS: &capture.DNS{ID: 7, Type: 1, Class: 1},
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	server := natsServer(t, t.TempDir(), -1, 4096)
	conn, err := nats.Connect(server.ClientURL(), nats.Token("word"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "LOG", Subjects: []string{"log.*"}})
	if err != nil {
		t.Fatal(err)
	}
	list, err := logsFrom(t, `
- {type: kafka, format: eve, plain: true, topic: log, brokers: ["`+cluster.ListenAddrs()[0]+`"]}
- {type: nats, format: eve, subject: "log.{sensor}", url: "`+server.ClientURL()+`", token_file: `+secretFile(t, "word")+`}
`)
	if err != nil {
		t.Fatal(err)
	}
	var line []byte
	for _, x := range list {
		line = x.Form.Append(nil, o, "sensor1")
		if out := x.Sink.Send(ctx, []alert.Record{{Sensor: "sensor1", Body: line}}); out.Done != 1 || out.Err != nil {
			t.Fatalf("%s: %+v", x.Name, out)
		}
	}
	if !strings.Contains(string(line), `"event_type":"dns"`) {
		t.Errorf("no event of Suricata: %s", line)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("log"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if got := client.PollFetches(ctx).Records(); len(got) != 1 || string(got[0].Value) != string(line) || string(got[0].Key) != "sensor1" {
		t.Errorf("Kafka has %d records", len(got))
	}
	if m, err := stream.GetLastMsgForSubject(ctx, "log.sensor1"); err != nil || string(m.Data) != string(line) {
		t.Errorf("NATS: %v", err)
	}
}
