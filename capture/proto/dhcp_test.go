package proto

import (
	"strings"
	"testing"

	"telltale/capture"
)

// dhcpBytes is a message with these addresses, as four bytes each, and options.
func dhcpBytes(op byte, ciaddr, yiaddr, options string) string {
	b := make([]byte, 236)
	b[0], b[1], b[2] = op, 1, 6
	copy(b[12:], ciaddr)
	copy(b[16:], yiaddr)
	copy(b[28:], "\x28\x57\xbe\x01\x02\x03")
	return string(b) + "\x63\x82\x53\x63" + options
}

func dhcpParser() identityParser {
	const mac = `{"mac":"28:57:be:01:02:03",`
	overload := []byte(dhcpBytes(1, "", "", "\x35\x01\x01\x34\x01\x03\xff"))
	copy(overload[108:], "\x0c\x04file\xff")
	copy(overload[44:], "\x3c\x05class\xff")
	return identityParser{dhcpParse, dhcpPlausible, []identityCase{
		{
			"discover", dhcpBytes(1, "", "", "\x35\x01\x01\x0c\x05cam-1\x32\x04\xc0\x00\x02\x09\x3c\x08MSFT 5.0\x3d\x07\x01\x28\x57\xbe\x01\x02\x03\x37\x04\x01\x03\x06\xfc\xff"),
			mac + `"message":"discover","hostname":"cam-1","requested":"192.0.2.9","vendor_class":"MSFT 5.0","client_id":"012857be010203","options":"1,3,6,252"}`,
		},
		{"renewing", dhcpBytes(1, "\xc0\x00\x02\x09", "", "\x35\x01\x03\xff"), mac + `"ip":"192.0.2.9","message":"request"}`},
		{"offer", dhcpBytes(2, "", "\xc0\x00\x02\x09", "\x35\x01\x02\xff"), mac + `"message":"offer"}`},
		{"acknowledgement", dhcpBytes(2, "", "\xc0\x00\x02\x09", "\x35\x01\x05\xff"), mac + `"ip":"192.0.2.9","message":"ack"}`},
		{"acknowledgement of inform", dhcpBytes(2, "\xc0\x00\x02\x09", "", "\x35\x01\x05\xff"), mac + `"ip":"192.0.2.9","message":"ack"}`},
		{"full name as text", dhcpBytes(1, "", "", "\x35\x01\x03\x51\x09\x00\x00\x00a.test\x00\xff"), mac + `"message":"request","fqdn":"a.test"}`},
		{"full name as labels", dhcpBytes(1, "", "", "\x35\x01\x03\x51\x0b\x05\x00\x00\x01a\x04test\x00\xff"), mac + `"message":"request","fqdn":"a.test"}`},
		{"partial name", dhcpBytes(1, "", "", "\x35\x01\x03\x51\x05\x04\x00\x00\x01a\xff"), mac + `"message":"request","fqdn":"a"}`},
		{"vendor class by enterprise", dhcpBytes(1, "", "", "\x35\x01\x01\x7c\x08\x00\x00\x01\x37\x03abc\xff"), mac + `"message":"discover","enterprise":"311","vendor_class":"abc"}`},
		{"options in other fields", string(overload), mac + `"message":"discover","hostname":"file","vendor_class":"class"}`},
		{"padding and no end", dhcpBytes(1, "", "", "\x00\x00\x35\x01\x01\x00\x0c\x01a"), mac + `"message":"discover","hostname":"a"}`},
		{"an option beyond the end", dhcpBytes(1, "", "", "\x35\x01\x01\x0c\xffabc"), mac + `"message":"discover"}`},
		{"no message type", dhcpBytes(1, "", "", "\xff"), mac + `"message":"bootp"}`},
		{"unknown message type", dhcpBytes(1, "", "", "\x35\x01\x63\xff"), mac + `"message":"bootp"}`},
		{"control characters", dhcpBytes(1, "", "", "\x35\x01\x01\x0c\x04a\x1b[m\xff"), mac + `"message":"discover","hostname":"a\\027[m"}`},
		{"another cookie", strings.Replace(dhcpBytes(1, "", "", ""), "\x63\x82", "\x63\x83", 1), "error"},
		{"cut in the header", dhcpBytes(1, "", "", "")[:239], "error"},
		{"neither request nor reply", dhcpBytes(3, "", "", ""), "error"},
	}}
}

func TestDHCP(t *testing.T) {
	p := dhcpParser()
	checkIdentity(t, &p)
	zero := []byte(dhcpBytes(1, "", "", "\xff"))
	zero[2] = 16 // InfiniBand: the field is no hardware address
	if got := identityRun(&p, zero, false); got != `{"message":"bootp"}` {
		t.Errorf("another kind of hardware: %s", got)
	}
}

func FuzzDHCP(f *testing.F) { fuzzIdentity(f, dhcpParser()) }

func dhcpv6Parser() identityParser {
	solicit := "\x01abc" + be16(1) + be16(14) + "\x00\x01\x00\x01\x16\xce\xe1\xc8\x28\x57\xbe\x01\x02\x03" +
		be16(39) + be16(6) + "\x00\x03cam\x00" + be16(16) + be16(10) + "\x00\x00\x01\x37" + be16(4) + "MSFT" + be16(6) + be16(4) + be16(23) + be16(39)
	said := `{"mac":"28:57:be:01:02:03","message":"solicit","duid":"0001000116cee1c82857be010203","fqdn":"cam","enterprise":"311","vendor_class":"MSFT","options":"23,39"}`
	address := "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x09"
	duid := be16(1) + be16(10) + "\x00\x03\x00\x01\x28\x57\xbe\x01\x02\x03"
	assoc := be16(3) + be16(40) + strings.Repeat("\x00", 12) + be16(5) + be16(24) + address + strings.Repeat("\x00", 8)
	relay := func(inner string) string {
		return "\x0c\x00" + strings.Repeat("\x00", 32) + be16(9) + be16(len(inner)) + inner
	}
	return identityParser{
		dhcpv6Parse, func(b []byte) bool { return len(b) > 4 },
		[]identityCase{
			{"solicit", solicit, said},
			{"relayed twice", relay(relay(solicit)), said},
			{"reply", "\x07abc" + duid + assoc, `{"mac":"28:57:be:01:02:03","ip":"2001:db8::9","message":"reply","duid":"000300012857be010203"}`},
			{"an address asked for is none", "\x03abc" + duid + assoc, `{"mac":"28:57:be:01:02:03","message":"request","duid":"000300012857be010203"}`},
			{"identifier of an enterprise", "\x01abc" + be16(1) + be16(8) + "\x00\x02\x00\x00\x01\x37\x01\x02", `{"message":"solicit","duid":"0002000001370102"}`},
			{"link address of a relay", "\x0c\x00" + strings.Repeat("\x00", 32) + be16(79) + be16(8) + "\x00\x01\x28\x57\xbe\x01\x02\x03" + be16(9) + be16(12) + "\x01abc" + be16(39) + be16(4) + "\x00\x02ab", `{"mac":"28:57:be:01:02:03","message":"solicit","fqdn":"ab"}`},
			{"too many relays", relay(relay(relay(relay(relay(relay(relay(relay(relay(solicit))))))))), "error"},
			{"a relay of nothing", "\x0c\x00" + strings.Repeat("\x00", 32), "error"},
			{"unknown type", "\x63abcdefgh", "error"},
			{"a type and nothing else", "\x01abc\x00", "error"},
		},
	}
}

func TestDHCPv6(t *testing.T) {
	p := dhcpv6Parser()
	checkIdentity(t, &p)
}

func FuzzDHCPv6(f *testing.F) { fuzzIdentity(f, dhcpv6Parser()) }

// A server's message speaks of the host it is sent to.
func TestServerPorts(t *testing.T) {
	for _, d := range Datagrams() {
		want := map[capture.Proto]uint16{capture.ProtoDHCP: 67, capture.ProtoDHCPv6: 547}[d.Proto]
		if d.Server != want {
			t.Errorf("%s: server port %d, want %d", d.Proto, d.Server, want)
		}
	}
}
