package proto

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"telltale/capture"
)

// identityParser is a parser under test, and messages it understands.
type identityParser struct {
	parse func(b []byte, cut bool, log *capture.Log) error
	match func(b []byte) bool // nil where a frame says what it is
	cases []identityCase
}

type identityCase struct {
	name, in string
	want     string // all that is reported, "" for nothing, an error if it begins with "error"
}

// identityText shows all Observations in log in a few words.
func identityText(log *capture.Log) string {
	var all []string
	for i := range log.Len() {
		o := log.At(i)
		if o.Kind != capture.Identify {
			all = append(all, o.Kind.String()+" "+string(o.Name))
			continue
		}
		line := string(o.AppendJSON(nil))
		_, line, _ = strings.Cut(line, `"identity":`)
		all = append(all, strings.TrimSuffix(line, "}"))
	}
	return strings.Join(all, "\n")
}

func identityRun(p *identityParser, b []byte, cut bool) string {
	log := new(capture.Log)
	if p.match != nil && !p.match(b) {
		return "error: no match"
	}
	if err := p.parse(b, cut, log); err != nil {
		return "error: " + err.Error()
	}
	return identityText(log)
}

func checkIdentity(t *testing.T, p *identityParser) {
	t.Helper()
	for _, c := range p.cases {
		got := identityRun(p, []byte(c.in), false)
		if strings.HasPrefix(c.want, "error") {
			if !strings.HasPrefix(got, "error") {
				t.Errorf("%s: accepted: %s", c.name, got)
			}
			continue
		}
		if got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
		log := new(capture.Log)
		b := []byte(c.in)
		n := testing.AllocsPerRun(50, func() {
			log.Reset()
			_ = p.parse(b, false, log)
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
		for n := range len(b) { // cut at any byte
			identityRun(p, b[:n], true)
		}
	}
}

// fuzzIdentity holds a parser to what every parser of identities promises.
func fuzzIdentity(f *testing.F, p identityParser) {
	for _, c := range p.cases {
		f.Add([]byte(c.in))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		log := new(capture.Log)
		if p.match != nil && !p.match(b) {
			return
		}
		if p.parse(b, true, log) != nil {
			return
		}
		for i := range log.Len() {
			o := log.At(i)
			if o.Kind != capture.Identify {
				continue
			}
			var seen []capture.FieldKey
			for _, v := range o.ID.Fields {
				if v.Key.String() == "" || len(v.Value) == 0 || len(v.Value) > identityMaxValue {
					t.Fatalf("field %q of %d bytes", v.Key, len(v.Value))
				}
				if !v.Key.IsList() && slices.Contains(seen, v.Key) {
					t.Fatalf("field %s twice", v.Key)
				}
				seen = append(seen, v.Key)
			}
			if len(seen) > identityMaxFields || o.ID.MAC[0]&1 != 0 || o.ID.Addr.IsUnspecified() {
				t.Fatalf("%d fields, %x, %v", len(seen), o.ID.MAC, o.ID.Addr)
			}
		}
	})
}

func be16(v int) string { return string(binary.BigEndian.AppendUint16(nil, uint16(v))) }
func le16(v int) string { return string(binary.LittleEndian.AppendUint16(nil, uint16(v))) }

func TestIdentityText(t *testing.T) {
	for text, want := range map[string]string{
		"28-57-be-01-02-03": "2857be010203", "28:57:BE:01:02:03": "2857be010203", "2857be010203": "2857be010203",
		"28:57:be:01:02": "", "28:57:be:01:02:03:04": "", "": "", "no address": "",
	} {
		mac := identityMAC([]byte(text))
		if got := hex.EncodeToString(mac[:]); got != want && (want != "" || mac != [6]byte{}) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]netip.Addr{
		"192.0.2.1": netip.MustParseAddr("192.0.2.1"), " 192.0.2.1\r\n": netip.MustParseAddr("192.0.2.1"),
		"192.0.2.256": {}, "192.0.2": {}, "192.0.2.1.5": {}, "::1": {}, "": {}, "1.2.3.x": {},
	} {
		if got := identityAddr([]byte(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// A message with more than is kept is cut, not refused.
func TestIdentityBounds(t *testing.T) {
	log := new(capture.Log)
	id := identity{log: log}
	for range 100 {
		id.add(capture.FieldService, []byte(strings.Repeat("x", 1000)))
	}
	id.add(capture.FieldModel, []byte("y"))
	o := id.report(capture.ProtoMDNS)
	if len(o.ID.Fields) != identityMaxFields || len(o.ID.Fields[0].Value) != identityMaxValue {
		t.Errorf("%d fields of %d bytes", len(o.ID.Fields), len(o.ID.Fields[0].Value))
	}
}
