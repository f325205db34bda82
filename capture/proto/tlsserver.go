package proto

import "telltale/capture"

var _ = registerStream(Stream{
	Proto: capture.ProtoTLS,
	From:  Server,
	Order: 10,
	Match: tlsMatchServer,
	Parse: tlsParseServer,
	Brief: tlsBriefServer,
})

// Alert levels (RFC 8446 §6) and the length of an alert.
const (
	tlsWarning     = 1
	tlsFatal       = 2
	tlsAlertLength = 2
)

// tlsMatchServer judges whether b begins with a record that opens a ServerHello, or
// with an alert in clear.
func tlsMatchServer(b []byte) Verdict {
	if b[0] == tlsAlert {
		return tlsMatchAlert(b)
	}
	return tlsMatchRecord(b, tlsHandshake, tlsServerHello)
}

func tlsMatchAlert(b []byte) Verdict {
	v := tlsMatchRecord(b, tlsAlert, tlsFatal)
	if v == No {
		v = tlsMatchRecord(b, tlsAlert, tlsWarning)
	}
	if v == Yes && int(b[3])<<8|int(b[4]) != tlsAlertLength {
		return No
	}
	return v
}

// tlsParseServer reads the server's first flight as far as the verdict on the handshake
// and, where it is in the clear, the certificate. Denied is a fatal alert, Answered a
// ServerHello with the certificate still to come. Done is a ServerHello behind which
// none comes any more, a HelloRetryRequest (RFC 8446 §4.1.3, §4.1.4), or the
// certificate. Warnings before it are passed over.
func tlsParseServer(b []byte, last bool, log *capture.Log) (int, Status) {
	n, s := tlsPassAlerts(b)
	if s != Done {
		return n, s
	}
	if _, s := tlsReadServerHello(b[n:]); s != Done {
		return 0, s
	}
	f := tlsMeasureFlight(b[n:])
	if f.certificate(log) == Incomplete && !last {
		return 0, Answered
	}
	return n + f.end, Done
}

// tlsBriefServer is tlsParseServer up to the ServerHello.
func tlsBriefServer(b []byte, _ bool, _ *capture.Log) (int, Status) {
	n, s := tlsPassAlerts(b)
	if s != Done {
		return n, s
	}
	end, s := tlsReadServerHello(b[n:])
	if s != Done {
		return 0, s
	}
	return n + end, Done
}

// tlsPassAlerts returns the length of the warnings before the ServerHello, Done if there
// may be one. Denied is a fatal alert.
func tlsPassAlerts(b []byte) (n int, s Status) {
	for n < len(b) && b[n] == tlsAlert {
		level, s := tlsReadAlert(b[n:])
		if s != Done {
			return 0, s
		}
		n += tlsRecordHeader + tlsAlertLength
		if level == tlsFatal {
			return n, Denied
		}
	}
	if n == len(b) {
		return 0, Incomplete
	}
	return n, Done
}

// tlsReadAlert returns the level of the alert record at the start of b.
func tlsReadAlert(b []byte) (level byte, s Status) {
	switch v := tlsMatchAlert(b); {
	case v == No:
		return 0, Reject
	case v == More || len(b) < tlsRecordHeader+tlsAlertLength:
		return 0, Incomplete
	}
	return b[tlsRecordHeader], Done
}

// tlsReadServerHello recognises a ServerHello by its first six bytes: type, length
// and version. That is enough to know that the server went on; the certificate
// behind it may take many segments. n is the end of the records read.
func tlsReadServerHello(b []byte) (n int, s Status) {
	switch tlsMatchRecord(b, tlsHandshake, tlsServerHello) {
	case No:
		return 0, Reject
	case More:
		return 0, Incomplete
	}
	const wanted = tlsHandshakeHeader + 2
	var head [wanted]byte
	for have := 0; have < wanted; {
		fragment, next, s := tlsFragment(b, n)
		if s != Done {
			return 0, s
		}
		have += copy(head[have:], fragment)
		n = next
	}
	if head[0] != tlsServerHello || head[1] != 0 || head[4] != 3 {
		return 0, Reject
	}
	return n, Done
}
