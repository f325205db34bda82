package format

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leodido/go-syslog/v4/rfc5424"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"telltale/alert"
	"telltale/detect"
	"telltale/feeds"
)

// TestRegistry shows the forms there are.
func TestRegistry(t *testing.T) {
	var got []string
	for _, f := range Formats() {
		got = append(got, f.Name+": "+f.About)
	}
	want := []string{
		"cef: ArcSight CEF:0",
		"ecs: Elastic Common Schema 9",
		"ecs8: Elastic Common Schema 8",
		"eve: Suricata 8 EVE JSON",
		"eve7: Suricata 7 EVE JSON",
		"leef: IBM QRadar LEEF:2.0",
		"native: Telltale's own JSON",
		"ocsf: OCSF 1.8 Detection Finding",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := ByName("xml"); err == nil || !strings.Contains(err.Error(), "native") {
		t.Errorf("an unknown form: %v", err)
	}
}

// fileSchema compiles a schema that lies beside the project.
func fileSchema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	path := "../../../shared/schemas/" + name
	b, err := os.ReadFile(path)
	if err != nil {
		t.Skip("no shared schemas beside the project")
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// form returns the form of that name.
func form(t testing.TB, name string) Format {
	t.Helper()
	f, err := ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestPublishedSchemas: every kind, class and hostile text fits the receivers' schemas,
// and the schemas refuse what they must.
func TestPublishedSchemas(t *testing.T) {
	for _, c := range []struct{ form, schema, edit, into string }{
		{"eve", "suricata/schema-8.0.6.json", `"event_type"`, `"vendor":"x","event_type"`},
		{"eve7", "suricata/schema-7.0.17.json", `"gid":1`, `"gid":1,"context":{}`},
		{"ocsf", "ocsf/detection_finding-1.8.0.security_control+host.schema.json", `"class_uid":2004,`, ``},
	} {
		t.Run(c.form, func(t *testing.T) {
			s, f := fileSchema(t, c.schema), form(t, c.form)
			var last []byte
			for _, text := range hostile {
				someAlerts(text, func(a *alert.Alert) {
					line := f.Append(nil, a)
					if err := valid(t, s, line); err != nil {
						t.Fatalf("%v\n%s", err, line)
					}
					if a.Finding != nil {
						last = line
					}
				})
			}
			for _, text := range fewerIfShort(hostileTexts()) {
				fewAlerts(text, func(a *alert.Alert) {
					if err := valid(t, s, f.Append(nil, a)); err != nil {
						t.Fatalf("%q: %v", text, err)
					}
				})
			}
			bad := strings.Replace(string(last), c.edit, c.into, 1)
			if valid(t, s, []byte(bad)) == nil {
				t.Errorf("the schema accepts everything: %s", bad)
			}
		})
	}
}

// leaves returns the path of every leaf of a JSON value; lists count by their length.
func leaves(v any, path string, all []string) []string {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			all = leaves(x, path+"."+k, all)
		}
	case []any:
		all = append(all, fmt.Sprintf("%s[%d]", path, len(v)))
		for _, x := range v {
			all = leaves(x, path+"[]", all)
		}
	default:
		all = append(all, path)
	}
	return all
}

func plainKeys(all []string) []string {
	all = slices.DeleteFunc(slices.Clone(all), func(s string) bool {
		return strings.HasPrefix(s, ".dns.question.") && s != ".dns.question.name"
	})
	slices.Sort(all)
	return all
}

func jsonLeaves(t testing.TB, line []byte) []string {
	t.Helper()
	printableASCII(t, line)
	var v any
	if err := json.Unmarshal(line, &v); err != nil {
		t.Fatalf("%v\n%s", err, line)
	}
	return leaves(v, "", nil)
}

func printableASCII(t testing.TB, line []byte) {
	t.Helper()
	for _, c := range line {
		if c != '\t' && (c < ' ' || c > '~') {
			t.Fatalf("byte %#x in the output: %q", c, line)
		}
	}
}

var cefKey = regexp.MustCompile(`(^| )([A-Za-z0-9_.]+)=`)

// parseCEF reads CEF:0 as its specification says, independently of the encoder.
func parseCEF(t testing.TB, line string) (header []string, ext map[string]string) {
	t.Helper()
	var field strings.Builder
	i := 0
	for ; i < len(line) && len(header) < 7; i++ {
		switch {
		case line[i] == '\\' && i+1 < len(line):
			i++
			field.WriteByte(line[i])
		case line[i] == '|':
			header = append(header, field.String())
			field.Reset()
		default:
			field.WriteByte(line[i])
		}
	}
	if len(header) != 7 || header[0] != "CEF:0" {
		t.Fatalf("no header of seven fields: %q", line)
	}
	ext = map[string]string{}
	rest := line[i:]
	keys := cefKey.FindAllStringSubmatchIndex(rest, -1)
	for k, at := range keys {
		end := len(rest)
		if k+1 < len(keys) {
			end = keys[k+1][0]
		}
		name := rest[at[4]:at[5]]
		if _, twice := ext[name]; twice {
			t.Fatalf("key %s occurs twice: %q", name, line)
		}
		ext[name] = strings.NewReplacer(`\\`, `\`, `\=`, `=`, `\n`, "\n", `\r`, "\r").Replace(rest[at[1]:end])
	}
	return header, ext
}

// parseLEEF reads LEEF:2.0 with tabs.
func parseLEEF(t testing.TB, line string) (header []string, ext map[string]string) {
	t.Helper()
	parts := strings.SplitN(line, "|", 7)
	if len(parts) != 7 || parts[0] != "LEEF:2.0" || parts[5] != "x09" {
		t.Fatalf("no header of six fields: %q", line)
	}
	ext = map[string]string{}
	for _, pair := range strings.Split(parts[6], "\t") {
		name, value, ok := strings.Cut(pair, "=")
		if _, twice := ext[name]; !ok || twice {
			t.Fatalf("pair %q: %q", pair, line)
		}
		ext[name] = value
	}
	return parts[:6], ext
}

// TestEveryFormStaysSmall: what is too much is left out, and native says how much.
func TestEveryFormStaysSmall(t *testing.T) {
	a := crowded()
	for _, f := range Formats() {
		line := f.Append([]byte("before"), a)
		if !strings.HasPrefix(string(line), "before") {
			t.Fatalf("%s: what stood before is gone", f.Name)
		}
		if line = line[6:]; len(line) > MaxSize {
			t.Errorf("%s: %d bytes", f.Name, len(line))
		}
		printableASCII(t, line)
	}
	line := form(t, "native").Append(nil, a)
	if err := valid(t, schema(t), line); err != nil {
		t.Error(err)
	}
	var back struct{ Omitted int }
	if err := json.Unmarshal(line, &back); err != nil || back.Omitted < 400 {
		t.Errorf("omitted %d, %v", back.Omitted, err)
	}
	if len(a.Finding.Facts) != 202 || a.Omitted != 0 {
		t.Error("the alert itself was changed")
	}
}

// TestSyslogHeaders holds the headers against an independent parser.
func TestSyslogHeaders(t *testing.T) {
	for _, text := range append(hostileTexts(), "host.example", strings.Repeat("h", 400)) {
		s := Syslog{Facility: 16, Host: text, ProcID: text}
		m := alert.Maker{Sensor: text}
		a := m.Change(detect.Change{Time: 1700000000123456789, Finding: finding(detect.AboutVendor, feeds.Installed, "x")})
		line := append(s.Append(nil, RFC5424, a), "CEF:0|x"...)
		printableASCII(t, line)
		got, err := rfc5424.NewParser().Parse(line)
		if err != nil {
			t.Fatalf("%q: %v\n%s", text, err, line)
		}
		msg := got.(*rfc5424.SyslogMessage)
		if *msg.Facility != 16 || *msg.Severity != 3 || *msg.Appname != "telltale" || *msg.MsgID != "finding.opened" || *msg.Message != "CEF:0|x" {
			t.Fatalf("%q: %+v", text, msg)
		}
		if p := (*msg.StructuredData)["telltale@32473"]; p["id"] != a.ID || p["seq"] != "1" || len(p) != 4 {
			t.Fatalf("%q: structured data %v", text, p)
		}
	}
	s := Syslog{Facility: 16, Host: "sensor1"}
	m := alert.Maker{}
	line := s.Append(nil, LEEFHeader, m.Health(alert.HealthInput, 1700000000123456789, "x"))
	if want := "<132>1 2023-11-14T22:13:20.123Z sensor1 "; string(line) != want {
		t.Errorf("got %q, want %q", line, want)
	}
}

// TestCommunityID: vectors of the specification.
func TestCommunityID(t *testing.T) {
	for _, c := range []struct {
		a, b      string
		transport uint8
		want      string
	}{
		{"128.232.110.120:34855", "66.35.250.204:80", 6, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{"192.168.1.52:54585", "8.8.8.8:53", 17, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
		{"10.0.0.1:0", "10.0.0.2:0", 1, ""},
	} {
		x := detect.Contact{Client: netip.MustParseAddrPort(c.a), Server: netip.MustParseAddrPort(c.b), Transport: c.transport}
		y := detect.Contact{Client: x.Server, Server: x.Client, Transport: c.transport}
		if communityID(&x) != c.want || communityID(&y) != c.want {
			t.Errorf("%s %s: %s and %s, want %s", c.a, c.b, communityID(&x), communityID(&y), c.want)
		}
	}
}

func BenchmarkFormats(b *testing.B) {
	m := alert.Maker{Sensor: "s", Packs: "p"}
	a := m.Change(detect.Change{Finding: hostileFinding(detect.AboutVendor, feeds.Installed, "update.example")})
	for _, f := range Formats() {
		b.Run(f.Name, func(b *testing.B) {
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				dst = f.Append(dst[:0], a)
			}
		})
	}
}
