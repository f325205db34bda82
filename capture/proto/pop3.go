package proto

import "telltale/capture"

// POP3 up to STLS (RFC 1939, RFC 2595 §4).
var _ = registerStream(Stream{
	Proto:   capture.ProtoPOP3,
	From:    Client,
	Order:   52,
	Opening: true,
	Match:   func(b []byte) Verdict { return matchWords(b, "CAPA", "STLS") },
	Parse:   func(b []byte, last bool, _ *capture.Log) (int, Status) { return parseCommand(b, last) },
})
