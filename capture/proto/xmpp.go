package proto

import (
	"bytes"

	"telltale/capture"
)

// xmppMax is the longest element waited for before TLS.
const xmppMax = 2048

// xmppElements begin what a client sends before TLS (RFC 6120 §5.4): the declaration,
// the stream's opening tag, and the request, perhaps with an end tag.
var xmppElements = [...]string{"<?xml ", "<stream:stream ", "<starttls ", "</starttls>"}

// XMPP up to STARTTLS (RFC 6120 §5), between client and server and between servers.
var _ = registerStream(Stream{
	Proto:   capture.ProtoXMPP,
	From:    Client,
	Order:   54,
	Opening: true,
	Match:   xmppMatch,
	Parse:   xmppParse,
})

func xmppMatch(b []byte) Verdict {
	best := No
	for _, e := range xmppElements {
		best = max(best, matchPrefix(b, e))
	}
	return best
}

// xmppParse passes over one tag and the white space behind it.
func xmppParse(b []byte, last bool, _ *capture.Log) (int, Status) {
	if xmppMatch(b) == No {
		return 0, Reject
	}
	end := bytes.IndexByte(b[:min(len(b), xmppMax)], '>')
	if end < 0 {
		if last || len(b) >= xmppMax {
			return 0, Reject
		}
		return 0, Incomplete
	}
	n := end + 1
	for n < len(b) && httpIsBlank(b[n]) {
		n++
	}
	return n, Done
}
