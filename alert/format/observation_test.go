package format

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"telltale/capture"
)

// someObservations returns one of every protocol and kind, with text where bytes of the
// network stand.
func someObservations(text string) []*capture.Observation {
	name := capture.AppendEscaped(nil, []byte(text))
	base := capture.Observation{
		Time: 1.7e18, Packet: 5, Flow: 3, Transport: 17, VLAN: 20, Name: name,
		Client: netip.MustParseAddrPort("10.0.0.1:50000"), Server: netip.MustParseAddrPort("[2001:db8::1]:53"),
	}
	var all []*capture.Observation
	add := func(p capture.Proto, k capture.Kind, fill func(*capture.Observation)) {
		o := base
		o.Proto, o.Kind = p, k
		fill(&o)
		all = append(all, &o)
	}
	for kind := capture.Request; kind <= capture.Response; kind++ {
		for _, p := range []capture.Proto{capture.ProtoDNS, capture.ProtoMDNS, capture.ProtoLLMNR} {
			add(p, kind, func(o *capture.Observation) {
				o.DNS = &capture.DNS{ID: 7, Type: 28, Class: 1, RCode: uint16(kind) * 3}
				if kind == capture.Response {
					o.DNS.Answers = []capture.Answer{
						{Name: name, Type: 5, TTL: 60, Target: name}, {Name: name, Type: 28, TTL: 60, Addr: netip.MustParseAddr("2001:db8::2")}, {Name: name, Type: 16},
					}
				}
			})
		}
		add(capture.ProtoHTTP, kind, func(o *capture.Observation) {
			o.HTTP = &capture.HTTP{Method: []byte(text), Target: []byte("/" + text), UserAgent: []byte(text), Minor: 1}
		})
	}
	for _, p := range []capture.Proto{capture.ProtoTLS, capture.ProtoQUIC} {
		add(p, capture.Request, func(o *capture.Observation) {
			o.TLS = &capture.ClientHello{Version: 0x0304, ALPN: [][]byte{[]byte(text)}, QUICVersion: 0x6b3343cf}
			copy(o.TLS.JA4[:], "t13d1516h2_8daaf6152771_b186095e22b6")
		})
	}
	for _, kind := range []capture.Kind{capture.FlowOpen, capture.FlowEnd} {
		add(capture.ProtoFlow, kind, func(o *capture.Observation) {
			o.End = &capture.FlowState{Start: 1.6e18, BytesOut: 1, BytesIn: 2, PacketsOut: 3, PacketsIn: 4, App: capture.ProtoTLS, Outcome: capture.Exchanged}
		})
	}
	return all
}

// TestObservationLog: the events fit the published schemas, hostile texts give the same
// keys, and what a form has no event for appends nothing.
func TestObservationLog(t *testing.T) {
	for _, l := range Logs() {
		t.Run(l.Name, func(t *testing.T) {
			events := 0
			for i, harmless := range someObservations("harmless") {
				want := logLeaves(t, &l, harmless)
				for _, text := range hostileTexts() {
					if text == "" {
						continue
					}
					got := logLeaves(t, &l, someObservations(text)[i])
					if d := cmp.Diff(want, got); d != "" {
						t.Fatalf("%s %s, %q: other keys\n%s", harmless.Proto, harmless.Kind, text, d)
					}
				}
				if want != nil {
					events++
				}
			}
			if events < 6 {
				t.Errorf("%d events only", events)
			}
		})
	}
	if _, err := LogByName("xml"); err == nil || !strings.Contains(err.Error(), "ocsf") {
		t.Errorf("an unknown form: %v", err)
	}
}

func logLeaves(t *testing.T, l *Log, o *capture.Observation) []string {
	t.Helper()
	line := l.Append([]byte("x"), o, "sensor1")
	if len(line) == 1 {
		return nil
	}
	var v any
	printableASCII(t, line)
	if err := json.Unmarshal(line[1:], &v); err != nil {
		t.Fatalf("%v\n%s", err, line)
	}
	return plainKeys(leaves(v, "", nil))
}

// TestObservationSchemas: EVE and OCSF by their publishers' schemas.
func TestObservationSchemas(t *testing.T) {
	for name, schema := range map[string]string{"eve": "suricata/schema-8.0.6.json", "eve7": "suricata/schema-7.0.17.json"} {
		l, err := LogByName(name)
		if err != nil {
			t.Fatal(err)
		}
		s := fileSchema(t, schema)
		for _, o := range someObservations("www.example.org") {
			if line := l.Append(nil, o, "sensor1"); len(line) > 0 {
				if err := valid(t, s, line); err != nil {
					t.Fatalf("%s: %v\n%s", name, err, line)
				}
			}
		}
	}
	l, err := LogByName("ocsf")
	if err != nil {
		t.Fatal(err)
	}
	dns, network := fileSchema(t, "ocsf/dns_activity-1.8.0.base.schema.json"), fileSchema(t, "ocsf/network_activity-1.8.0.base.schema.json")
	for _, o := range someObservations("www.example.org") {
		line := l.Append(nil, o, "sensor1")
		if len(line) == 0 {
			continue
		}
		s := network
		if o.Proto == capture.ProtoDNS {
			s = dns
		}
		if err := valid(t, s, line); err != nil {
			t.Fatalf("%v\n%s", err, line)
		}
	}
}
