package proto

// ProxyReply is what a proxy says of the connection it was asked for.
type ProxyReply uint8

// Replies of a proxy.
const (
	NoReply ProxyReply = iota // not a reply: what somebody behind the proxy sent
	Asking                    // the dialogue goes on: method chosen, user accepted
	Granted
	Refused
)

// SOCKSReply judges what a SOCKS server sends in answer to its client: the choice of a
// method (RFC 1928 §3), the verdict on user and password (RFC 1929 §2), the reply to a
// request (RFC 1928 §6; SOCKS 4). b is never empty.
func SOCKSReply(b []byte) ProxyReply {
	switch {
	case b[0] == 0:
		return socksReply4(b)
	case b[0] == 1 && len(b) == 2:
		return socksLoginReply(b)
	case b[0] == 5 && len(b) >= 2:
		return socksReply5(b)
	}
	return NoReply
}

func socksReply4(b []byte) ProxyReply {
	const granted, unknownUser, length = 0x5a, 0x5d, 8
	if len(b) < length || b[1] < granted || b[1] > unknownUser {
		return NoReply
	}
	return socksVerdict(b[1] == granted)
}

func socksLoginReply(b []byte) ProxyReply {
	if b[1] != 0 {
		return Refused
	}
	return Asking
}

// socksReply5 judges a reply, or the choice of a method and what comes with it for a
// client that did not wait.
func socksReply5(b []byte) ProxyReply {
	const noMethod = 0xff
	switch {
	case b[1] == noMethod:
		return Refused
	case len(b) == 2:
		return Asking
	case b[2] == 0: // reserved in a reply
		return socksVerdict(b[1] == 0)
	case b[2] == 1 && len(b) > 4 && b[3] == 0:
		return SOCKSReply(b[4:])
	case b[2] == 1 && len(b) > 3:
		return socksLoginReply(b[2:4])
	}
	return SOCKSReply(b[2:])
}

func socksVerdict(granted bool) ProxyReply {
	if granted {
		return Granted
	}
	return Refused
}
