package proto

import (
	"bytes"

	"telltale/capture"
)

const ssdpPort = 1900

var _ = registerDatagram(Datagram{
	Proto: capture.ProtoSSDP, Order: 24, Ports: []uint16{ssdpPort},
	Match: func(_, _ uint16, b []byte) bool { return ssdpMessage(b) != "" },
	Parse: ssdpParse,
})

// ssdpMaxLines bounds the header fields read.
const ssdpMaxLines = 64

// ssdpMessage names the message by its start line (UPnP Device Architecture 2.0 §1.2,
// §1.3), "" if it is none.
func ssdpMessage(b []byte) string {
	for _, m := range [...]struct{ line, name string }{
		{"NOTIFY * HTTP/1.", "notify"}, {"HTTP/1.1 200", "response"}, {"HTTP/1.0 200", "response"}, {"M-SEARCH * HTTP/1.", "search"},
	} {
		if len(b) >= len(m.line) && string(b[:len(m.line)]) == m.line {
			return m.name
		}
	}
	return ""
}

// ssdpParse reads a message of SSDP: header fields as in HTTP.
func ssdpParse(b []byte, _ bool, log *capture.Log) error {
	name := ssdpMessage(b)
	if name == "" {
		return errIdentity
	}
	id := identity{log: log}
	id.text(capture.FieldMessage, name)
	_, off, ok := httpLine(b, 0)
	for n := 0; ok && n < ssdpMaxLines; n++ {
		var line []byte
		if line, off, ok = httpLine(b, off); len(line) == 0 {
			break
		}
		ssdpField(&id, line)
	}
	id.report(capture.ProtoSSDP)
	return nil
}

func ssdpField(id *identity, line []byte) {
	name, value, ok := bytes.Cut(line, []byte{':'})
	if !ok {
		return
	}
	name = httpTrim(name)
	for _, f := range [...]struct {
		name string
		key  capture.FieldKey
	}{
		{"server", capture.FieldServer},
		{"user-agent", capture.FieldUserAgent},
		{"usn", capture.FieldUSN},
		{"nt", capture.FieldType},
		{"st", capture.FieldType},
		{"location", capture.FieldLocation},
		{"al", capture.FieldLocation},
	} {
		if httpIs(name, f.name) {
			id.add(f.key, value)
			return
		}
	}
	if httpIs(name, "nts") && httpIs(httpTrim(value), "ssdp:byebye") && id.n > 0 {
		id.fields[0].Value = id.log.Bytes(len("byebye"))
		copy(id.fields[0].Value, "byebye")
	}
}
