package proto

import "telltale/capture"

// imapMaxTag is the longest tag before a command; clients use a letter and a number.
const imapMaxTag = 16

// IMAP up to STARTTLS (RFC 9051 §6.2.1): the commands that are allowed before it.
var _ = registerStream(Stream{
	Proto:   capture.ProtoIMAP,
	From:    Client,
	Order:   51,
	Opening: true,
	Match:   imapMatch,
	Parse:   func(b []byte, last bool, _ *capture.Log) (int, Status) { return parseCommand(b, last) },
})

// imapMatch asks for a tag and a command.
func imapMatch(b []byte) Verdict {
	n := 0
	for n < len(b) && n <= imapMaxTag && imapIsTag(b[n]) {
		n++
	}
	switch {
	case n == 0 || n > imapMaxTag:
		return No
	case n == len(b):
		return More
	case b[n] != ' ':
		return No
	case n+1 == len(b):
		return More
	}
	return matchWords(b[n+1:], "STARTTLS", "CAPABILITY", "ID", "NOOP")
}

// imapIsTag tells the bytes that tags are made of in practice; the standard allows more.
func imapIsTag(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '.'
}
