package sink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"telltale/alert"
)

var _ = register(Type{
	Name:         "kafka",
	About:        "Apache Kafka, acknowledged by all in-sync replicas, keyed by sensor",
	Acked:        true,
	Observations: true,
	New:          newKafka,
})

// kafkaConfig is the settings of a Kafka cluster.
type kafkaConfig struct {
	// Brokers are host:port of some brokers.
	Brokers []string `yaml:"brokers"`
	// Topic must exist. Default telltale.
	Topic string `yaml:"topic"`
	// Plain leaves TLS away.
	Plain bool `yaml:"plain"`
	TLS   TLS  `yaml:"tls"`
	// SASL is plain, scram-sha-256 or scram-sha-512, with User and PasswordFile.
	SASL         string        `yaml:"sasl"`
	User         string        `yaml:"user"`
	PasswordFile string        `yaml:"password_file"`
	Proxy        string        `yaml:"proxy"`
	Timeout      time.Duration `yaml:"timeout"`
}

type kafka struct {
	client  *kgo.Client
	topic   string
	timeout time.Duration
}

func newKafka(e *Entry) (alert.Sink, error) {
	c := kafkaConfig{Topic: "telltale", Timeout: 30 * time.Second}
	if err := e.Decode(&c); err != nil {
		return nil, err
	}
	if len(c.Brokers) == 0 {
		return nil, errors.New("brokers is missing: give one or more host:port")
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(c.Brokers...),
		kgo.ClientID("telltale"),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(0),
		kgo.DialTimeout(defaultTimeout),
		kgo.ProduceRequestTimeout(c.Timeout),
		kgo.UnknownTopicRetries(2),
	}
	dial, err := c.dial()
	if err != nil {
		return nil, err
	}
	opts = append(opts, dial)
	m, err := c.mechanism()
	if err != nil {
		return nil, err
	}
	if m != nil {
		opts = append(opts, kgo.SASL(m))
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("making the client: %w", err)
	}
	return &kafka{client: client, topic: c.Topic, timeout: c.Timeout}, nil
}

// dial says how the brokers are reached.
func (c *kafkaConfig) dial() (kgo.Opt, error) {
	via, err := proxyURL(c.Proxy)
	if err != nil {
		return nil, err
	}
	var conf *tls.Config
	if !c.Plain {
		if conf, err = c.TLS.config(""); err != nil {
			return nil, err
		}
	}
	switch {
	case via != nil:
		return kgo.Dialer(func(ctx context.Context, _, address string) (net.Conn, error) {
			l := link{address: address, tls: conf, proxy: via, timeout: defaultTimeout}
			if host, _, err := net.SplitHostPort(address); err == nil && conf != nil && conf.ServerName == "" {
				l.tls = conf.Clone()
				l.tls.ServerName = host
			}
			return l.open(ctx)
		}), nil
	case conf != nil:
		return kgo.DialTLSConfig(conf), nil
	}
	return kgo.DialTimeout(defaultTimeout), nil
}

func (c *kafkaConfig) mechanism() (sasl.Mechanism, error) {
	if c.SASL == "" {
		return nil, nil
	}
	word, err := secretLine(c.PasswordFile)
	if err != nil {
		return nil, err
	}
	switch c.SASL {
	case "plain":
		return plain.Auth{User: c.User, Pass: word}.AsMechanism(), nil
	case "scram-sha-256":
		return scram.Auth{User: c.User, Pass: word}.AsSha256Mechanism(), nil
	case "scram-sha-512":
		return scram.Auth{User: c.User, Pass: word}.AsSha512Mechanism(), nil
	}
	return nil, fmt.Errorf("sasl %q: use plain, scram-sha-256 or scram-sha-512", c.SASL)
}

// Send implements alert.Sink.
func (k *kafka) Send(ctx context.Context, batch []alert.Record) alert.Outcome {
	// The client's own limit on delivery counts from a record's time, which is the packet's.
	ctx, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	records := make([]*kgo.Record, len(batch))
	for i := range batch {
		records[i] = kafkaRecord(k.topic, &batch[i])
	}
	errs := make(map[*kgo.Record]error, len(batch))
	for _, r := range k.client.ProduceSync(ctx, records...) {
		errs[r.Record] = r.Err
	}
	var o alert.Outcome
	for i, r := range records {
		switch err := errs[r]; {
		case err == nil:
		case errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.InvalidRecord):
			o.Refused = append(o.Refused, alert.Refusal{Index: i, Reason: err.Error()})
		default:
			o.Err = fmt.Errorf("producing to %s: %w: see that the brokers can be reached, that the topic exists and that the user may write it", k.topic, err)
			alert.Trace(ctx, alert.Step{Name: "produce", Err: o.Err})
			return o
		}
		o.Done++
	}
	alert.Trace(ctx, alert.Step{Name: "produce", Detail: fmt.Sprintf("%d records acknowledged by all in-sync replicas", o.Done)})
	return o
}

// kafkaRecord keys by sensor, since order is kept by key. Consumers that want each alert
// once go by the headers: a restarted producer may send it twice.
func kafkaRecord(topic string, r *alert.Record) *kgo.Record {
	k := &kgo.Record{Topic: topic, Key: []byte(r.Sensor), Value: append([]byte(nil), r.Body...)}
	if a := r.Alert; a != nil {
		k.Timestamp = time.Unix(0, a.Time)
		k.Headers = []kgo.RecordHeader{
			{Key: "event_id", Value: []byte(a.ID)},
			{Key: "epoch", Value: strconv.AppendUint(nil, a.Epoch, 10)},
			{Key: "seq", Value: strconv.AppendUint(nil, a.Seq, 10)},
		}
	}
	return k
}

// Close implements alert.Sink.
func (k *kafka) Close() error {
	k.client.Close()
	return nil
}
