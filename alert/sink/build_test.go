package sink

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"telltale/alert"
	"telltale/alert/format"
)

// sinkFrom makes the sink of one entry, as a configuration does.
func sinkFrom(t *testing.T, text string) alert.Target {
	t.Helper()
	list, err := targetsFrom(t, text)
	if err != nil {
		t.Fatal(err)
	}
	return list[0]
}

func targetsFrom(t *testing.T, text string) ([]alert.Target, error) {
	t.Helper()
	var c struct {
		Sinks []Entry `yaml:"sinks"`
	}
	lines := "sinks:\n- " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ")
	if err := yaml.Unmarshal([]byte(lines), &c); err != nil {
		t.Fatal(err)
	}
	list, err := Targets(c.Sinks)
	for _, x := range list {
		t.Cleanup(func() { _ = x.Sink.Close() })
	}
	return list, err
}

// records makes n alerts in the target's form.
func records(target alert.Target, n int) []alert.Record {
	m := alert.Maker{Sensor: "sensor1", Packs: "p", Program: "1.0"}
	all := make([]alert.Record, n)
	for i := range all {
		a := m.Health(alert.HealthTest, 1.7e18+int64(i)*1e9, fmt.Sprintf("text %d", i))
		all[i] = alert.Record{Alert: a, Sensor: a.Sensor, Body: target.Encode(nil, a)}
	}
	return all
}

// send is Send with a deadline, and the steps it told.
func send(t *testing.T, target alert.Target, batch []alert.Record) (alert.Outcome, string) {
	t.Helper()
	var steps []string
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	o := target.Sink.Send(alert.WithTrace(ctx, func(s alert.Step) {
		steps = append(steps, fmt.Sprintf("%s: %s %v", s.Name, s.Detail, s.Err))
	}), batch)
	return o, strings.Join(steps, "\n")
}

// deliver sends until all is settled, as the dispatcher does without its pauses, and
// returns what was refused.
func deliver(t *testing.T, target alert.Target, batch []alert.Record) (refused []string) {
	t.Helper()
	for tries := 0; len(batch) > 0; tries++ {
		o, steps := send(t, target, batch)
		if tries > 50 {
			t.Fatalf("no progress: %+v\n%s", o, steps)
		}
		for _, r := range o.Refused {
			refused = append(refused, fmt.Sprintf("%d: %s", batch[r.Index].Alert.Seq, r.Reason))
		}
		batch = batch[o.Done:]
		if o.Err != nil {
			time.Sleep(20 * time.Millisecond)
		}
	}
	return refused
}

// secretFile writes a file that only its owner reads.
func secretFile(t *testing.T, text string) string {
	t.Helper()
	return writeFile(t, "secret", text, 0o600)
}

func writeFile(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// authority signs certificates for a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{cert: cert, key: key}
	a.file = writeFile(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), 0o644)
	return a
}

// issue writes a certificate for name and its key.
func (a *authority) issue(t *testing.T, name string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &k.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert = writeFile(t, name+".pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), 0o644)
	key = writeFile(t, name+".key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})), 0o600)
	return cert, key
}

// TestRegistry shows the types there are.
func TestRegistry(t *testing.T) {
	var got []string
	for _, x := range Types() {
		got = append(got, fmt.Sprintf("%s acked=%v observations=%v", x.Name, x.Acked, x.Observations))
		for _, f := range x.Formats {
			if _, err := format.ByName(f); err != nil {
				t.Errorf("%s: %v", x.Name, err)
			}
		}
	}
	for _, want := range []string{
		"elasticsearch acked=true observations=false", "kafka acked=true observations=true", "nats acked=true observations=true",
		"relp acked=true observations=false", "slack acked=true observations=false", "splunk acked=true observations=true",
		"syslog acked=false observations=false", "teams acked=true observations=false", "webhook acked=true observations=true",
	} {
		if !strings.Contains(strings.Join(got, "\n")+"\n", want+"\n") {
			t.Errorf("missing %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
}

// TestSettingsAreChecked: what is wrong is said with a way out, before anything is sent.
func TestSettingsAreChecked(t *testing.T) {
	open := writeFile(t, "open", "secret", 0o644)
	token := secretFile(t, "token\n")
	lines := secretFile(t, "one\ntwo\n")
	for _, c := range []struct{ config, want string }{
		{"type: syslog\naddress: siem", "write it like siem.example.org:6514"},
		{"type: syslog\naddress: siem:6514\ntransport: sctp", "use tls, tcp or udp"},
		{"type: syslog\naddress: siem:6514\nframing: xml", "use octets or lines"},
		{"type: syslog\naddress: siem:6514\nfacility: 24", "facility must be 0 to 23"},
		{"type: syslog\naddress: siem:6514\nheader: bsd", "use rfc5424, rfc3164 or leef"},
		{"type: relp\naddress: siem:2514\nheader: bsd", "use rfc5424, rfc3164 or leef"},
		{"type: syslog\naddress: siem:6514\ntransport: udp\nproxy: http://p:1", "a proxy does not carry UDP"},
		{"type: syslog\naddress: siem:6514\nproxy: ftp://p:1", "socks5://proxy.example.org:1080"},
		{"type: syslog\naddress: siem:6514\nadress: x", "unknown field"},
		{"type: syslog\naddress: siem:6514\ntls: {cert: a.pem}", "cert and key go together"},
		{"type: syslog\naddress: siem:6514\ntls: {ca: /nonexistent}", "certificates to trust"},
		{"type: syslog\naddress: siem:6514\ntls: {ca: " + token + "}", "no certificate in PEM form"},
		{"type: relp\naddress: siem:2514\nresend_records: 5", "do not acknowledge"},
		{"type: splunk\nurl: siem:8088\ntoken_file: " + token, "write it like https://"},
		{"type: splunk\nurl: https://u:p@siem:8088\ntoken_file: " + token, "holds a password"},
		{"type: splunk\nurl: https://siem:8088", "token_file is missing"},
		{"type: splunk\nurl: https://siem:8088\ntoken_file: " + open, "run chmod 600"},
		{"type: splunk\nurl: https://siem:8088\ntoken_file: " + lines, "only line"},
		{"type: splunk\nurl: https://siem:8088\ntoken_file: credential:hec", "LoadCredential=hec:FILE"},
		{"type: splunk\nurl: https://siem:8088\nformat: cef\ntoken_file: " + token, "is not for this type"},
		{"type: elasticsearch\nurl: https://es:9200\nindex: Logs", "use lower-case letters"},
		{"type: elasticsearch\nurl: https://es:9200\nuser: a", "user and password_file go together"},
		{"type: elasticsearch\nurl: https://es:9200\nuser: a\napi_key_file: " + token, "exclude each other"},
		{"type: elasticsearch\nurl: https://es:9200\nformat: native", "is not for this type"},
		{"type: webhook\nurl: https://x\nmode: some", "use each, list or lines"},
		{"type: webhook\nurl: https://x\nmode: list\nformat: cef", "use mode lines"},
		{"type: webhook\nurl: https://x\nmode: lines\ntemplate: " + token, "a template goes with mode each"},
		{"type: slack", "url_file is missing"},
		{"type: slack\nurl_file: " + token, "holds no address of a webhook"},
		{"type: kafka", "brokers is missing"},
		{"type: kafka\nbrokers: [b:9092]\nsasl: gssapi\npassword_file: " + token, "use plain, scram-sha-256"},
		{"type: nats", "write it like tls://"},
		{"type: nats\nurl: nats://u:p@h:4222", "no password in it"},
		{"type: nats\nurl: nats://h:4222\ntoken_file: " + token + "\nuser: a\npassword_file: " + token, "exclude each other"},
		{"type: pigeon", "unknown type"},
	} {
		_, err := targetsFrom(t, c.config)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n got  %v\n want %s", c.config, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "token\n") {
			t.Errorf("a secret is in the message: %v", err)
		}
	}
}

// TestSecretsOfOthers: what the group or anybody else may read is refused.
func TestSecretsOfOthers(t *testing.T) {
	for mode, fine := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o620: false, 0o601: false} {
		name := writeFile(t, "s", "word", mode)
		if err := os.Chmod(name, mode); err != nil { // whatever the umask says
			t.Fatal(err)
		}
		if _, err := readSecret(name); (err == nil) != fine {
			t.Errorf("%04o: %v", mode, err)
		}
	}
}

// TestCredentials: systemd passes files in a directory of its own.
func TestCredentials(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hec"), []byte("word\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	if got, err := readSecret("credential:hec"); got != "word" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := readSecret("credential:../hec"); err == nil {
		t.Error("a path was taken for a name")
	}
}

// TestEntriesAreCompared: what decides whether a sink is made anew when the configuration
// is read again.
func TestEntriesAreCompared(t *testing.T) {
	token := secretFile(t, "one")
	entry := func(text string) Entry {
		t.Helper()
		var list []Entry
		if err := yaml.Unmarshal([]byte(text), &list); err != nil {
			t.Fatal(err)
		}
		targets, err := Targets(list)
		if err != nil {
			t.Fatal(err)
		}
		_ = targets[0].Sink.Close()
		return list[0]
	}
	splunk := "[{type: splunk, url: \"https://h:1\", token_file: " + token + "%s}]"
	first := entry(fmt.Sprintf(splunk, ""))
	for text, want := range map[string]bool{"": true, ", name: splunk": true, ", format: native": true, ", index: a": false, ", min_severity: high": false, ", tls: {server_name: x}": false} {
		if e := entry(fmt.Sprintf(splunk, text)); e.Equal(&first) != want {
			t.Errorf("%q: equal %v, want %v", text, !want, want)
		}
	}
	if err := os.WriteFile(token, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if e := entry(fmt.Sprintf(splunk, "")); e.Equal(&first) {
		t.Error("another token makes no difference")
	}
	a := newAuthority(t)
	cert, key := a.issue(t, "x")
	relp := "[{type: relp, address: \"h:1\", tls: {cert: " + cert + ", key: " + key + "}}]"
	first = entry(relp)
	if again := entry(relp); !again.Equal(&first) {
		t.Error("the same differs")
	}
	b, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cert, append([]byte("\n"), b...), 0o600); err != nil {
		t.Fatal(err)
	}
	if again := entry(relp); again.Equal(&first) {
		t.Error("another certificate makes no difference")
	}
}
