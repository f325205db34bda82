package sink

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestKafka: records arrive keyed by sensor, with their number, in order.
func TestKafka(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "telltale"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	var acks atomic.Int32
	cluster.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		acks.Store(int32(r.(*kmsg.ProduceRequest).Acks))
		return nil, nil, false
	})
	brokers := strings.Join(cluster.ListenAddrs(), ", ")
	target := sinkFrom(t, "type: kafka\nplain: true\nbrokers: ["+brokers+"]")
	batch := records(target, 300)
	if refused := deliver(t, target, batch); len(refused) != 0 {
		t.Errorf("refused %v", refused)
	}
	got := consumed(t, cluster, len(batch))
	if len(got) != len(batch) {
		t.Fatalf("%d records, want %d", len(got), len(batch))
	}
	for n, r := range got {
		if string(r.Key) != "sensor1" || string(r.Value) != string(batch[n].Body) || r.Headers[0].Key != "event_id" || string(r.Headers[0].Value) != batch[n].Alert.ID {
			t.Fatalf("record %d: %s", n, r.Value)
		}
	}
	if acks.Load() != -1 { // all in-sync replicas
		t.Errorf("asked for %d acknowledgements", acks.Load())
	}
	none := sinkFrom(t, "type: kafka\nplain: true\ntimeout: 1s\ntopic: other\nbrokers: ["+brokers+"]")
	if o, _ := send(t, none, batch[:1]); o.Done != 0 || o.Err == nil || !strings.Contains(o.Err.Error(), "topic exists") {
		t.Errorf("no such topic: %+v", o)
	}
}

// consumed reads the topic from its begin until there are n records.
func consumed(t *testing.T, cluster *kfake.Cluster, n int) (all []*kgo.Record) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("telltale"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for len(all) < n && ctx.Err() == nil {
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) { all = append(all, r) })
	}
	return all
}

// TestBrokersByProxy: Kafka and NATS are reached through a proxy if one is given.
func TestBrokersByProxy(t *testing.T) {
	at, used := httpProxy(t)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "telltale"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	target := sinkFrom(t, "type: kafka\nplain: true\nbrokers: ["+cluster.ListenAddrs()[0]+"]\nproxy: http://user:word@"+at)
	if refused := deliver(t, target, records(target, 3)); len(refused) != 0 || used.Load() == 0 {
		t.Errorf("kafka: refused %v, the proxy was used %d times", refused, used.Load())
	}
	s := natsServer(t, t.TempDir(), -1, 1<<20)
	used.Store(0)
	target = sinkFrom(t, "type: nats\nurl: "+s.ClientURL()+"\ntoken_file: "+secretFile(t, "word")+"\nproxy: http://user:word@"+at)
	o, _ := send(t, target, records(target, 1)) // there is no stream: the connection is what counts
	if o.Err == nil || !strings.Contains(o.Err.Error(), "a stream takes the subject") || used.Load() == 0 {
		t.Errorf("nats: %+v, the proxy was used %d times", o, used.Load())
	}
}

// natsServer starts a real server with JetStream.
func natsServer(t *testing.T, dir string, port int, maxPayload int32) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, NoLog: true, NoSigs: true,
		Authorization: "word", MaxPayload: maxPayload,
	})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server does not start")
	}
	t.Cleanup(s.Shutdown)
	return s
}

// TestNATS: stored once although sent twice, also by a server that was restarted between.
func TestNATS(t *testing.T) {
	dir := t.TempDir()
	s := natsServer(t, dir, -1, 4096)
	config := "type: nats\ntimeout: 5s\nurl: " + s.ClientURL() + "\ntoken_file: " + secretFile(t, "word")
	target := sinkFrom(t, config)
	batch := records(target, 300)
	batch[5].Body = []byte(strings.Repeat("x", 5000))
	if o, _ := send(t, target, batch); o.Done != 0 || o.Err == nil || !strings.Contains(o.Err.Error(), "a stream takes the subject") {
		t.Fatalf("without a stream: %+v", o)
	}
	conn, err := nats.Connect(s.ClientURL(), nats.Token("word"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "ALERTS", Subjects: []string{"telltale.alerts.*"}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if refused := deliver(t, target, batch); len(refused) != 1 || !strings.HasPrefix(refused[0], "6: ") {
			t.Errorf("refused %v", refused)
		}
	}
	stored := func() uint64 {
		st, err := js.Stream(ctx, "ALERTS")
		if err != nil {
			t.Fatal(err)
		}
		info, err := st.Info(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return info.State.Msgs
	}
	if n := stored(); n != 299 {
		t.Errorf("%d messages stored, want 299", n)
	}
	wrong := sinkFrom(t, "type: nats\ntimeout: 2s\nurl: "+s.ClientURL()+"\ntoken_file: "+secretFile(t, "other"))
	if o, _ := send(t, wrong, batch[:1]); o.Err == nil || !strings.Contains(o.Err.Error(), "check the login") {
		t.Errorf("a wrong token: %+v", o)
	}
}
