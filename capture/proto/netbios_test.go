package proto

import (
	"strings"
	"testing"
)

// netbiosName is an encoded name with its suffix.
func netbiosName(name string, suffix byte) string {
	var b strings.Builder
	b.WriteByte(32)
	for _, c := range []byte(name + strings.Repeat(" ", 15-len(name)) + string(suffix)) {
		b.WriteByte('A' + c>>4)
		b.WriteByte('A' + c&15)
	}
	b.WriteByte(0)
	return b.String()
}

func nbnsParser() identityParser {
	head := func(flags, qd, an, ar int) string {
		return "id" + be16(flags) + be16(qd) + be16(an) + be16(0) + be16(ar)
	}
	name := netbiosName("HOST-1", 0)
	record := func(kind int, data string) string {
		return be16(kind) + be16(1) + "\x00\x00\x00\x3c" + be16(len(data)) + data
	}
	address := "\x00\x00\xc0\x00\x02\x01"
	group := "\x80\x00\xc0\x00\x02\x01"
	entry := func(name string, suffix byte, flags int) string {
		return name + strings.Repeat(" ", 15-len(name)) + string(suffix) + be16(flags)
	}
	status := "\x03" + entry("HOST-1", 0, 0x0400) + entry("WORKGROUP", 0, 0x8400) + entry("HOST-1", 0x20, 0x0400) + "\x28\x57\xbe\x01\x02\x03" + strings.Repeat("\x00", 40)
	const said = `{"ip":"192.0.2.1","message":"name","suffix":"00","hostname":"HOST-1"}`
	return identityParser{nbnsParse, nbnsPlausible, []identityCase{
		{"query", head(0x0110, 1, 0, 0) + netbiosName("WPAD", 0) + be16(0x20) + be16(1), "request wpad"},
		{"query for status", head(0, 1, 0, 0) + netbiosName("*", 0) + be16(0x21) + be16(1), ""},
		{"registration", head(0x2910, 1, 0, 1) + name + be16(0x20) + be16(1) + "\xc0\x0c" + record(0x20, address), said},
		{"refresh, name given twice", head(0x4010, 1, 0, 1) + name + be16(0x20) + be16(1) + name + record(0x20, address), said},
		{"registration of a group", head(0x2910, 1, 0, 1) + netbiosName("WORKGROUP", 0) + be16(0x20) + be16(1) + "\xc0\x0c" + record(0x20, group), `{"ip":"192.0.2.1","message":"name","domain":"WORKGROUP"}`},
		{"answer", head(0x8500, 0, 1, 0) + name + record(0x20, address), said},
		{"refusal", head(0x8503, 0, 1, 0) + name + record(0x20, address), ""},
		{"status", head(0x8400, 0, 1, 0) + netbiosName("*", 0) + record(0x21, status), `{"mac":"28:57:be:01:02:03","message":"status","suffix":"00","hostname":"HOST-1","domain":"WORKGROUP"}`},
		{"release", head(0x3010, 1, 0, 1) + name + be16(0x20) + be16(1) + "\xc0\x0c" + record(0x20, address), ""},
		{"no letters", head(0x0110, 1, 0, 0) + " " + strings.Repeat("z", 32) + "\x00" + be16(0x20) + be16(1), "error"},
		{"a record cut", head(0x8500, 0, 1, 0) + name + record(0x20, address)[:8], "error"},
		{"many questions", head(0x0110, 9, 0, 0) + name, "error"},
	}}
}

func TestNBNS(t *testing.T) {
	p := nbnsParser()
	checkIdentity(t, &p)
}

func FuzzNBNS(f *testing.F) { fuzzIdentity(f, nbnsParser()) }

func nbdgmParser() identityParser {
	head := "\x11\x02\x00\x01\xc0\x00\x02\x01" + be16(138) + be16(200) + be16(0)
	names := netbiosName("HOST-1", 0x20) + netbiosName("WORKGROUP", 0x1d)
	announcement := func(command byte) string {
		data := string([]byte{command, 0, 0, 0, 0, 0}) + "HOST-1" + strings.Repeat("\x00", 10) + "\x06\x01\x03\x10\x00\x00\x0f\x01\x55\xaaFile server\x00"
		smb := "\xffSMB\x25" + strings.Repeat("\x00", 27) + "\x11" + strings.Repeat("\x00", 22) + le16(len(data)) + le16(86)
		smb += strings.Repeat("\x00", 10) + `\MAILSLOT\BROWSE` + "\x00"
		return smb + data
	}
	return identityParser{nbdgmParse, func(b []byte) bool { return len(b) > nbdgmHeader }, []identityCase{
		{"announcement", head + names + announcement(1), `{"ip":"192.0.2.1","message":"datagram","suffix":"20","hostname":"HOST-1","domain":"WORKGROUP","software":"6.1","description":"File server"}`},
		{"another command", head + names + announcement(8), `{"ip":"192.0.2.1","message":"datagram","suffix":"20","hostname":"HOST-1"}`},
		{"no transaction", head + names + "hello", `{"ip":"192.0.2.1","message":"datagram","suffix":"20","hostname":"HOST-1"}`},
		{"one name", head + names[:34], `{"ip":"192.0.2.1","message":"datagram","suffix":"20","hostname":"HOST-1"}`},
		{"an error message", "\x13" + head[1:] + names, "error"},
		{"no name", head + "x", "error"},
	}}
}

func TestNBDGM(t *testing.T) {
	p := nbdgmParser()
	checkIdentity(t, &p)
}

func FuzzNBDGM(f *testing.F) { fuzzIdentity(f, nbdgmParser()) }
