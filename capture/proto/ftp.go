package proto

import "telltale/capture"

// FTP up to AUTH TLS (RFC 4217 §4), with FEAT (RFC 2389) and HOST (RFC 7151) before it.
var _ = registerStream(Stream{
	Proto:   capture.ProtoFTP,
	From:    Client,
	Order:   53,
	Opening: true,
	Match: func(b []byte) Verdict {
		return matchWords(b, "AUTH TLS", "AUTH TLS-C", "AUTH SSL", "FEAT", "HOST")
	},
	Parse: func(b []byte, last bool, _ *capture.Log) (int, Status) { return parseCommand(b, last) },
})
