package sink

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"telltale/alert/format"
)

// TestRsyslogForms: what the real collector makes of each form with its default parsers.
// The message of RFC 5424 is the event. CEF and LEEF behind the header of RFC 3164 are tag
// and message. IBM's header is half of one of RFC 5424: what stands behind it is passed on
// well as it was received, and no other way. Tabs are taken away unless that is switched
// off.
func TestRsyslogForms(t *testing.T) {
	dir := t.TempDir()
	all, raw, plain := freePort(t), freePort(t), freePort(t)
	rsyslog(t, []int{all, raw}, "global(parser.escapeControlCharacterTab=\"off\")\nmodule(load=\"imtcp\")\n"+
		properties(dir, "all", all, "msg", "syslogtag", "rawmsg", "rawmsg-after-pri")+properties(dir, "raw", raw, "rawmsg"))
	lines := map[string]int{}
	for _, f := range format.Formats() {
		for _, header := range []string{"rfc5424", "rfc3164", "leef"} {
			set, port := "all", all
			if header == "leef" {
				set, port = "raw", raw
			}
			target := sinkFrom(t, fmt.Sprintf("type: syslog\ntransport: tcp\nhostname: sensor1\nformat: %s\nheader: %s\naddress: 127.0.0.1:%d", f.Name, header, port))
			batch := hostileRecords(t, target)
			deliver(t, target, batch)
			of := func(property string) []string {
				return stored(t, filepath.Join(dir, set+"-"+property), lines[set]+len(batch))[lines[set]:]
			}
			received := of("rawmsg")
			for i := range batch {
				if !strings.HasSuffix(received[i], " "+string(batch[i].Body)) {
					t.Fatalf("%s with %s: received\n%q, not\n%q", f.Name, header, received[i], batch[i].Body)
				}
			}
			if set == "all" {
				msg, tag, rest := of("msg"), of("syslogtag"), of("rawmsg-after-pri")
				for i := range batch {
					body, got := string(batch[i].Body), strings.TrimPrefix(msg[i], " ")
					switch {
					case header == "rfc3164" && (f.Name == "cef" || f.Name == "leef"):
						got = tag[i] + msg[i]
					case header == "rfc3164":
						continue // no form that goes with it
					}
					if got != body || !strings.HasSuffix(received[i], ">"+rest[i]) {
						t.Fatalf("%s with %s: got\n%q, not\n%q", f.Name, header, got, body)
					}
				}
			}
			lines[set] += len(batch)
		}
	}
	rsyslog(t, []int{plain}, "module(load=\"imtcp\")\n"+properties(dir, "plain", plain, "rawmsg"))
	target := sinkFrom(t, fmt.Sprintf("type: syslog\ntransport: tcp\nformat: leef\naddress: 127.0.0.1:%d", plain))
	deliver(t, target, records(target, 1))
	if line := stored(t, filepath.Join(dir, "plain-rawmsg"), 1)[0]; !strings.Contains(line, "#011") || strings.Contains(line, "\t") {
		t.Errorf("tabs are kept by default now: docs/siem/qradar.md can be shorter: %q", line)
	}
}

// properties returns a configuration that writes each property of what comes by TCP into
// the file SET-PROPERTY.
func properties(dir, set string, port int, names ...string) string {
	text := "ruleset(name=\"" + set + "\") {\n"
	for _, p := range names {
		text = fmt.Sprintf("template(name=\"%s-%s\" type=\"string\" string=\"%%%s%%\\n\")\n", set, p, p) + text +
			fmt.Sprintf("action(type=\"omfile\" file=\"%s\" template=\"%s-%s\")\n", filepath.Join(dir, set+"-"+p), set, p)
	}
	return text + fmt.Sprintf("}\ninput(type=\"imtcp\" port=\"%d\" ruleset=\"%s\")\n", port, set)
}

// rsyslogBlock returns the configuration of rsyslog that a page shows, with the files and
// the port of a test.
func rsyslogBlock(t *testing.T, page string, a *authority, port int) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/siem/" + page)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```\n(global\\(.*?)```").FindStringSubmatch(string(text))
	if m == nil {
		t.Fatalf("%s shows no configuration of rsyslog", page)
	}
	cert, key := a.issue(t, "siem.test")
	return strings.NewReplacer(
		"/etc/rsyslog/ca.pem", a.file, "/etc/rsyslog/cert.pem", cert, "/etc/rsyslog/key.pem", key, `port="2514"`, fmt.Sprintf(`port="%d"`, port),
	).Replace(m[1])
}

// relpTo returns the settings of a sink for the collector of a page.
func relpTo(t *testing.T, a *authority, port int) string {
	t.Helper()
	cert, key := a.issue(t, "sensor.example.org")
	return fmt.Sprintf("type: relp\nhostname: sensor1\naddress: 127.0.0.1:%d\ntls: {ca: %s, server_name: siem.test, cert: %s, key: %s}\n", port, a.file, cert, key)
}

// TestRsyslogRelaysLEEF: by the configuration in the page of QRadar, LEEF comes out of the
// relay as it went in.
func TestRsyslogRelaysLEEF(t *testing.T) {
	l := listen(t)
	got := make(chan string, 1000)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			for in := bufio.NewScanner(conn); in.Scan(); {
				got <- in.Text()
			}
		}
	}()
	a, port := newAuthority(t), freePort(t)
	host, out, _ := strings.Cut(l.Addr().String(), ":")
	conf := rsyslogBlock(t, "qradar.md", a, port)
	conf = strings.Replace(conf, `target="qradar.example.org" port="514"`, fmt.Sprintf(`target="%s" port="%s"`, host, out), 1)
	rsyslog(t, []int{port}, conf)
	target := sinkFrom(t, relpTo(t, a, port)+"format: leef\nheader: rfc3164")
	batch := hostileRecords(t, target)
	if refused := deliver(t, target, batch); len(refused) > 0 {
		t.Fatalf("refused %v", refused)
	}
	for i := range batch {
		select {
		case line := <-got:
			head, body, _ := strings.Cut(line, " LEEF:")
			if "LEEF:"+body != string(batch[i].Body) || !strings.HasSuffix(head, ">Nov 14 22:13:20 sensor1") {
				t.Fatalf("alert %d came out as\n%q, went in as\n%q", i, line, batch[i].Body)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%d of %d came out", i, len(batch))
		}
	}
}

// TestRsyslogForSentinel: by the configuration in the page of Sentinel, the agent gets
// what it looks for. The template is the one that the agent installs.
func TestRsyslogForSentinel(t *testing.T) {
	a, port, dir := newAuthority(t), freePort(t), t.TempDir()
	out := filepath.Join(dir, "agent")
	rsyslog(t, []int{port}, rsyslogBlock(t, "sentinel.md", a, port)+`
template(name="agent" type="string" string="<%PRI%>%TIMESTAMP% %HOSTNAME% %syslogtag%%msg:::sp-if-no-1st-sp%%msg%\n")
*.* action(type="omfile" file="`+out+`" template="agent")`)
	target := sinkFrom(t, relpTo(t, a, port)+"format: cef\nheader: rfc3164")
	batch := hostileRecords(t, target)
	if refused := deliver(t, target, batch); len(refused) > 0 {
		t.Fatalf("refused %v", refused)
	}
	n := 0
	for _, line := range stored(t, out, len(batch)) {
		if !strings.Contains(line, " sensor1 ") {
			continue // what rsyslogd says of itself
		}
		if want := "Nov 14 22:13:20 sensor1 CEF: " + strings.TrimPrefix(string(batch[n].Body), "CEF:"); !strings.HasSuffix(line, want) {
			t.Fatalf("alert %d is\n%q, want\n%q", n, line, want)
		}
		n++
	}
	if n < len(batch)-5 {
		t.Errorf("%d alerts", n)
	}
}
