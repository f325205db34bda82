package proto

import "telltale/capture"

// SMTP up to STARTTLS (RFC 5321, RFC 3207), also LMTP: the commands that come before it.
var _ = registerStream(Stream{
	Proto:   capture.ProtoSMTP,
	From:    Client,
	Order:   50,
	Opening: true,
	Match: func(b []byte) Verdict {
		return matchWords(b, "EHLO", "HELO", "LHLO", "STARTTLS")
	},
	Parse: func(b []byte, last bool, _ *capture.Log) (int, Status) { return parseCommand(b, last) },
})
