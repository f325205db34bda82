package filter

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/capture"
	"telltale/capture/pcapfile"
)

// usual are expressions that people type, with what they must give: accepted, or
// refused with an error that names the word.
var usual = []struct {
	expression string
	refused    string // the word, "end" where the end is what is wrong
}{
	{"host 192.0.2.1", ""},
	{"src 192.0.2.1 or 192.0.2.2", ""},
	{"host 192.0.2.1 and port 53", ""},
	{"host 2001:db8::1", ""},
	{"src host 192.0.2.1", ""},
	{"dst 192.0.2.1", ""},
	{"src or dst host 192.0.2.1", ""},
	{"src 192.0.2.1 and dst 192.0.2.2", ""},
	{"ip host 192.0.2.1", ""},
	{"arp host 192.0.2.1", ""},
	{"net 10.0.0.0/8", ""},
	{"net 10", ""},
	{"net 192.168", ""},
	{"net 192.168.1", ""},
	{"net 192.168.0.0 mask 255.255.0.0", ""},
	{"src net 10.0.0.0/8 and not dst net 10.0.0.0/8", ""},
	{"net 2001:db8::/32", ""},
	{"port 53", ""},
	{"port domain", ""},
	{"port 80 or 443", ""},
	{"port (80 or 443)", ""},
	{"tcp port 80 or tcp port 443", ""},
	{"udp port 53 or tcp port 53", ""},
	{"tcp dst port 25", ""},
	{"src port 53", ""},
	{"portrange 6881-6889", ""},
	{"udp portrange 33434-33534", ""},
	{"tcp and not port 22", ""},
	{"not arp and not port 22", ""},
	{"not (host 192.0.2.1 and port 53)", ""},
	{"(port 53 or port 443) and host 192.0.2.1", ""},
	{"tcp or udp and port 53", ""},
	{"!arp && (tcp || udp)", ""},
	{"icmp", ""},
	{"icmp6", ""},
	{"icmp or icmp6", ""},
	{"arp", ""},
	{"ip", ""},
	{"ip6", ""},
	{"ip6 and udp port 5353", ""},
	{"sctp", ""},
	{"ip proto 47", ""},
	{"ip6 proto 58", ""},
	{"proto 89", ""},
	{"ip proto gre", ""},
	{"ether proto 0x88cc", ""},
	{"ether host 00:00:5e:00:53:01", ""},
	{"ether src 00:00:5e:00:53:01", ""},
	{"ether broadcast", ""},
	{"ether multicast or ip multicast or ip6 multicast", ""},
	{"multicast", ""},
	{"vlan", ""},
	{"vlan 10", ""},
	{"vlan 10 and port 53", ""},
	{"vlan 10 and vlan 20", ""},
	{"less 128", ""},
	{"greater 1500", ""},
	{"host (192.0.2.1 or 192.0.2.2)", ""},
	{"dst port 53 and src net 10.0.0.0/8", ""},

	{"", "end"},
	{"host", "end"},
	{"port", "end"},
	{"tcp and", "end"},
	{"(port 53", "("},
	{"port 53)", ")"},
	{"host example.com", "example.com"},
	{"host 192.0.2.0/24", "192.0.2.0/24"},
	{"net 192.0.2.1/24", "192.0.2.1/24"},
	{"net 10.0.0.0 mask 255.0.255.0", "255.0.255.0"},
	{"port 70000", "70000"},
	{"port 53-54", "53-54"},
	{"port 53 port 54", "port"},
	{"53", "53"},
	{"192.0.2.1", "192.0.2.1"},
	{"host 53", "53"},
	{"icmp port 53", "icmp"},
	{"tcp host 192.0.2.1", "tcp"},
	{"ip6 host 192.0.2.1", "192.0.2.1"},
	{"tcp[13] & 2 != 0", "tcp[13]"},
	{"tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn", "tcp[tcpflags]"},
	{"tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)", "ip[2:2]"},
	{"gateway 192.0.2.1", "gateway"},
	{"broadcast", "broadcast"},
	{"ip broadcast", "broadcast"},
	{"inbound", "inbound"},
	{"mpls 100", "mpls"},
	{"pppoes and port 53", "pppoes"},
	{"vxlan 7", "vxlan"},
	{"len > 100", "len"},
	{"protochain 6", "protochain"},
	{"vlan and vlan and port 53", "vlan"},
	{"vlan 4096", "4096"},
	{"ether proto 0x8100", "0x8100"},
	{"ether port 53", "port"},
	{"dns", "dns"},
	{"and port 53", "and"},
	{"port 53 or or port 54", "or"},
	{"\u2018port 53\u2019", "\u2018"},
	{"'port 53'", "'"},
	{"host 192.0.2.1 and prot 53", "prot"},
	{strings.Repeat("(", 200) + "tcp" + strings.Repeat(")", 200), "("},
}

func TestUsualExpressions(t *testing.T) {
	for _, c := range usual {
		f, err := Parse(c.expression)
		if c.refused == "" {
			if err != nil {
				t.Errorf("%q refused: %v", c.expression, err)
				continue
			}
			for _, link := range links {
				p, err := f.Program(link, true)
				if err == nil {
					err = p.check()
				}
				if err != nil && !errors.Is(err, errStation) {
					t.Errorf("%q for %s: %v", c.expression, link, err)
				}
			}
			continue
		}
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q must be refused, not %v", c.expression, err)
			continue
		}
		if word := e.Word; word != c.refused && (word != "" || c.refused != "end") {
			t.Errorf("%q: the error names %q, want %q: %v", c.expression, word, c.refused, err)
		}
		if e.Word != "" && !strings.HasPrefix(c.expression[e.Offset:], e.Word) {
			t.Errorf("%q: %q is not at %d", c.expression, e.Word, e.Offset)
		}
	}
}

// links are the link types that expressions are compiled for.
var links = []capture.LinkType{
	capture.LinkEthernet, capture.LinkRaw, capture.LinkRawOld, capture.LinkRawBSD, capture.LinkIPv4,
	capture.LinkIPv6, capture.LinkSLL, capture.LinkSLL2, capture.LinkNull, capture.LinkLoop,
}

func TestErrorText(t *testing.T) {
	_, err := Parse("tcp and gateway 192.0.2.1")
	want := `capture filter, at "gateway", position 9: not in the subset of pcap-filter(7) that is understood here: write 'ether host MAC and not host ADDRESS'
  tcp and gateway 192.0.2.1
          ^`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	_, err = Parse("host")
	if err == nil || !strings.Contains(err.Error(), "at its end") || !strings.Contains(err.Error(), "quote all of it") {
		t.Errorf("an expression cut by the shell: %v", err)
	}
}

func TestUnknownLinkType(t *testing.T) {
	f, err := Parse("port 53")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Match(&capture.Packet{Link: 105}); err == nil || !strings.Contains(err.Error(), "linktype-105") {
		t.Errorf("802.11: %v", err)
	}
	f, err = Parse("ether host 00:00:5e:00:53:01")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Match(&capture.Packet{Link: capture.LinkRaw}); !errors.Is(err, errStation) {
		t.Errorf("hardware addresses of raw IP: %v", err)
	}
}

// hexed builds a frame from parts in hexadecimal.
func frameOfHex(t *testing.T, parts ...string) []byte {
	t.Helper()
	var b []byte
	for _, p := range parts {
		for p = strings.ReplaceAll(p, " ", ""); len(p) > 0; p = p[2:] {
			n := strings.IndexByte("0123456789abcdef", p[0])<<4 | strings.IndexByte("0123456789abcdef", p[1])
			b = append(b, byte(n))
		}
	}
	return b
}

const (
	macs    = "00005e005301 00005e005302"
	dns4    = "0800 4500001c00010000401100000a0000010a000002 d431003500080000"
	dns4sll = "4500001c00010000401100000a0000010a000002 d431003500080000"
	tag10   = "8100 000a"
	tag20   = "88a8 e014"
	tagOld  = "9100 001e"
)

// TestTags holds the stated difference from tcpdump: conditions look through tags.
func TestTags(t *testing.T) {
	frames := map[string][]byte{
		"plain":  frameOfHex(t, macs, dns4),
		"10":     frameOfHex(t, macs, tag10, dns4),
		"20":     frameOfHex(t, macs, tag20, dns4),
		"old":    frameOfHex(t, macs, tagOld, dns4),
		"20,10":  frameOfHex(t, macs, tag20, tag10, dns4),
		"old,10": frameOfHex(t, macs, tagOld, tag10, dns4),
		"three":  frameOfHex(t, macs, tag20, tag10, tag10, dns4),
	}
	for _, c := range []struct {
		expression string
		match      string
	}{
		{"port 53", "plain 10 20 old 20,10 old,10"},
		{"host 10.0.0.2", "plain 10 20 old 20,10 old,10"},
		{"vlan", "10 20 old 20,10 old,10 three"},
		{"not vlan and port 53", "plain"},
		{"vlan 10", "10 20,10 old,10 three"},
		{"vlan 20", "20 20,10 three"},
		{"vlan 30 and port 53", "old old,10"},
		{"vlan 10 and vlan 20 and port 53", "20,10"},
		{"vlan and port 54", ""},
		{"ip", "plain 10 20 old 20,10 old,10"},
		{"udp dst port 53 and src net 10", "plain 10 20 old 20,10 old,10"},
	} {
		f, err := Parse(c.expression)
		if err != nil {
			t.Fatal(err)
		}
		for name, frame := range frames {
			want := strings.Contains(" "+c.match+" ", " "+name+" ")
			got, err := f.Match(&capture.Packet{Data: frame, Length: uint32(len(frame)), Link: capture.LinkEthernet})
			if err != nil || got != want {
				t.Errorf("%q on %s: %v %v, want %v", c.expression, name, got, err, want)
			}
		}
	}
}

// TestTakenTag: a tag that the kernel took out counts as one in the frame does.
func TestTakenTag(t *testing.T) {
	for expression, want := range map[string]bool{
		"vlan": true, "vlan 10": true, "vlan 20": false, "vlan 10 and port 53": true, "not vlan": false, "port 53": true,
	} {
		f, err := Parse(expression)
		if err != nil {
			t.Fatal(err)
		}
		frame := frameOfHex(t, macs, dns4)
		if got, err := f.Match(&capture.Packet{Data: frame, Length: uint32(len(frame)), Link: capture.LinkEthernet, VLAN: 10}); got != want || err != nil {
			t.Errorf("%q: %v %v, want %v", expression, got, err, want)
		}
	}
}

// TestLinkTypes finds the same packet below every link-layer header.
func TestLinkTypes(t *testing.T) {
	for _, c := range []struct {
		link   capture.LinkType
		header string
	}{
		{capture.LinkEthernet, macs + "0800"},
		{capture.LinkRaw, ""},
		{capture.LinkRawOld, ""},
		{capture.LinkRawBSD, ""},
		{capture.LinkIPv4, ""},
		{capture.LinkSLL, "0000 0001 0006 00005e0053010000 0800"},
		{capture.LinkSLL, "0000 0001 0006 00005e0053010000 8100 000a 0800"},
		{capture.LinkSLL2, "0800 0000 00000002 0001 00 06 00005e0053010000"},
		{capture.LinkNull, "02000000"},
		{capture.LinkNull, "00000002"},
		{capture.LinkLoop, "00000002"},
	} {
		frame := frameOfHex(t, c.header, dns4sll)
		p := capture.Packet{Data: frame, Length: uint32(len(frame)), Link: c.link}
		for expression, want := range map[string]bool{
			"udp port 53": true, "tcp": false, "host 10.0.0.1": true, "ip6": false, "ip": true, "arp": false,
			"dst net 10.0.0.0/31": false, "src net 10.0.0.0/31": true, "less 27": false,
		} {
			f, err := Parse(expression)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := f.Match(&p); got != want || err != nil {
				t.Errorf("%s %q: %q is %v %v, want %v", c.link, c.header, expression, got, err, want)
			}
		}
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	f, err := Parse("(port 53 or port 443) and net 10.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	frame := frameOfHex(t, macs, tag10, dns4)
	p := capture.Packet{Data: frame, Length: uint32(len(frame)), Link: capture.LinkEthernet}
	if ok, err := f.Match(&p); !ok || err != nil {
		t.Fatalf("no match: %v", err)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = f.Match(&p) }); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

// TestLongExpression needs jumps that reach farther than eight bits.
func TestLongExpression(t *testing.T) {
	var parts []string
	for i := range 90 {
		parts = append(parts, "net 10."+itoa(i)+".0.0/16")
	}
	f, err := Parse("port 99 or " + strings.Join(parts, " or "))
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.Program(capture.LinkEthernet, false)
	if err != nil || len(p) < 500 || p.check() != nil {
		t.Fatalf("%d instructions, %v %v", len(p), err, p.check())
	}
	for want, net := range map[bool]string{true: "0a590001", false: "0a5a0001"} {
		frame := frameOfHex(t, macs, "0800 4500001c000100004011 0000", net, "c0000201 d431003500080000")
		if p.Match(frame, uint32(len(frame)), 0) != want {
			t.Errorf("%s: not %v", net, want)
		}
	}
	f, err = Parse(strings.Repeat("host 2001:db8::1 or ", 400) + "tcp")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Program(capture.LinkEthernet, false); err == nil || !strings.Contains(err.Error(), "fewer") {
		t.Errorf("a program beyond the kernel's limit: %v", err)
	}
}

func itoa(i int) string {
	if i >= 10 {
		return string(rune('0'+i/10)) + string(rune('0'+i%10))
	}
	return string(rune('0' + i))
}

// sharedPackets returns up to most packets of every capture beside the project.
func sharedPackets(tb testing.TB, most int) []capture.Packet {
	tb.Helper()
	list, _ := filepath.Glob("../../../shared/captures/*.pcap*")
	if len(list) == 0 {
		tb.Skip("no shared captures beside the project")
	}
	var all []capture.Packet
	for _, path := range list {
		r, err := pcapfile.Open(pcapfile.Config{Paths: []string{path}, Stdin: os.Stdin})
		if err != nil {
			tb.Fatal(err)
		}
		var b capture.Batch
		for n := 0; n < most && r.Next(&b) == nil; {
			for _, p := range b.Packets {
				if n++; n > most {
					break
				}
				p.Data = append([]byte(nil), p.Data...)
				all = append(all, p)
			}
		}
		_ = r.Close()
	}
	return all
}
