package proto

import "telltale/capture"

// The requests of PostgreSQL's protocol that ask for encryption: a length of eight and a
// code (PostgreSQL documentation, "Message Formats", GSSENCRequest and SSLRequest). The
// server answers with one byte. A client of version 17 may also begin with TLS itself.
const (
	postgresSSL = "\x00\x00\x00\x08\x04\xd2\x16\x2f"
	postgresGSS = "\x00\x00\x00\x08\x04\xd2\x16\x30"
)

var _ = registerStream(Stream{
	Proto:   capture.ProtoPostgreSQL,
	From:    Client,
	Order:   56,
	Opening: true,
	Match:   postgresMatch,
	Parse: func(b []byte, _ bool, _ *capture.Log) (int, Status) {
		switch postgresMatch(b) {
		case No:
			return 0, Reject
		case More:
			return 0, Incomplete
		}
		return len(postgresSSL), Done
	},
})

func postgresMatch(b []byte) Verdict {
	return max(matchPrefix(b, postgresSSL), matchPrefix(b, postgresGSS))
}
