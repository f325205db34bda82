package proto

import (
	"encoding/binary"
	"net/netip"

	"telltale/capture"
)

// Address types of SOCKS 5 (RFC 1928 §5).
const (
	socksIPv4 = 1
	socksName = 3
	socksIPv6 = 4
)

const (
	socksHead  = 4 // version, command, reserved, address type
	socksField = 255
)

var (
	_ = registerStream(Stream{Proto: capture.ProtoSOCKS, From: Client, Order: 42, Opening: true, Match: socksMatch4, Parse: socksParse4})
	_ = registerStream(Stream{Proto: capture.ProtoSOCKS, From: Client, Order: 43, Opening: true, Match: socksMatch5, Parse: socksParse5})
	_ = registerStream(Stream{Proto: capture.ProtoSOCKS, From: Client, Order: 44, Opening: true, Match: socksMatchGreeting, Parse: socksParseGreeting})
	_ = registerStream(Stream{Proto: capture.ProtoSOCKS, From: Client, Order: 45, Opening: true, Match: socksMatchLogin, Parse: socksParseLogin})
)

// socksMatch4 judges a request of SOCKS 4: version, connect or bind, a port.
func socksMatch4(b []byte) Verdict {
	const head = 1 + 1 + 2 + 4
	switch {
	case b[0] != 4, len(b) > 1 && b[1] != 1 && b[1] != 2, len(b) > 3 && b[2]|b[3] == 0:
		return No
	case len(b) <= head:
		return More
	}
	return Yes
}

// socksParse4 reads port, address and user, and the host name behind them where the
// address is 0.0.0.x (SOCKS 4a).
func socksParse4(b []byte, last bool, log *capture.Log) (int, Status) {
	switch socksMatch4(b) {
	case No:
		return 0, Reject
	case More:
		return 0, socksShort(last)
	}
	_, n, s := socksText(b, 8, last)
	if s != Done {
		return 0, s
	}
	addr := netip.AddrFrom4([4]byte(b[4:8]))
	var name []byte
	if b[4]|b[5]|b[6] == 0 && b[7] != 0 {
		if name, n, s = socksText(b, n, last); s != Done {
			return 0, s
		}
		if len(name) == 0 {
			return 0, Reject
		}
	}
	if n < len(b) {
		return 0, Reject // a client waits for the answer
	}
	socksReport(4, b[1], name, addr, binary.BigEndian.Uint16(b[2:]), log)
	return n, Done
}

// socksText reads printable bytes up to a zero, from offset at on.
func socksText(b []byte, at int, last bool) (text []byte, next int, s Status) {
	for i := at; i < len(b) && i-at <= socksField; i++ {
		if b[i] == 0 {
			return b[at:i], i + 1, Done
		}
		if b[i] <= ' ' || b[i] > '~' {
			return nil, 0, Reject
		}
	}
	if len(b)-at > socksField {
		return nil, 0, Reject
	}
	return nil, 0, socksShort(last)
}

func socksShort(last bool) Status {
	if last {
		return Reject
	}
	return Incomplete
}

// socksMatchGreeting judges the list of authentication methods that begins SOCKS 5
// (RFC 1928 §3): all of them assigned or private, none twice.
func socksMatchGreeting(b []byte) Verdict {
	if b[0] != 5 || len(b) > 1 && (b[1] == 0 || b[1] > 16) {
		return No
	}
	if len(b) < 3 {
		return More
	}
	end := min(len(b), 2+int(b[1]))
	var seen [256]bool
	for _, m := range b[2:end] {
		if seen[m] || m > 9 && m < 0x80 || m == 0xff {
			return No
		}
		seen[m] = true
	}
	if end < 2+int(b[1]) {
		return More
	}
	return Yes
}

func socksParseGreeting(b []byte, _ bool, _ *capture.Log) (int, Status) {
	switch socksMatchGreeting(b) {
	case No:
		return 0, Reject
	case More:
		return 0, Incomplete
	}
	return 2 + int(b[1]), Done
}

// socksMatchLogin judges user and password (RFC 1929 §2): printable, and nothing or a
// request behind them.
func socksMatchLogin(b []byte) Verdict {
	v, end := socksLogin(b)
	if v == Yes && end < len(b) && b[end] != 5 {
		return No
	}
	return v
}

func socksLogin(b []byte) (v Verdict, end int) {
	if b[0] != 1 {
		return No, 0
	}
	end = 1
	for range 2 {
		if end >= len(b) {
			return More, 0
		}
		size := int(b[end])
		text := b[end+1 : min(end+1+size, len(b))]
		if size == 0 || !socksIsText(text) {
			return No, 0
		}
		if len(text) < size {
			return More, 0
		}
		end += 1 + size
	}
	return Yes, end
}

func socksParseLogin(b []byte, last bool, _ *capture.Log) (int, Status) {
	switch socksMatchLogin(b) {
	case No:
		return 0, Reject
	case More:
		return 0, socksShort(last)
	}
	_, end := socksLogin(b)
	return end, Done
}

// socksMatch5 judges a request of SOCKS 5. Bytes that are exactly a greeting are one.
func socksMatch5(b []byte) Verdict {
	switch {
	case b[0] != 5, len(b) > 1 && (b[1] == 0 || b[1] > 3), len(b) > 2 && b[2] != 0,
		len(b) > 3 && b[3] != socksIPv4 && b[3] != socksName && b[3] != socksIPv6,
		len(b) > 2 && len(b) == 2+int(b[1]) && socksMatchGreeting(b) == Yes:
		return No
	case len(b) < socksHead:
		return More
	}
	return Yes
}

// socksParse5 reads command, address and port (RFC 1928 §4).
func socksParse5(b []byte, last bool, log *capture.Log) (int, Status) {
	switch socksMatch5(b) {
	case No:
		return 0, Reject
	case More:
		return 0, socksShort(last)
	}
	at, size := socksHead, 4
	switch b[3] {
	case socksIPv6:
		size = 16
	case socksName:
		if len(b) == at {
			return 0, socksShort(last)
		}
		size = int(b[at])
		at++
	}
	end := at + size + 2
	if len(b) < end {
		return 0, socksShort(last)
	}
	var name []byte
	var addr netip.Addr
	if b[3] == socksName {
		name = b[at : at+size]
		if size == 0 || !socksIsText(name) {
			return 0, Reject
		}
	} else {
		addr, _ = netip.AddrFromSlice(b[at : at+size])
	}
	socksReport(5, b[1], name, addr, binary.BigEndian.Uint16(b[end-2:]), log)
	return end, Done
}

func socksIsText(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// socksReport appends the Observation of a request for name, or addr if that is nil.
func socksReport(version, command uint8, name []byte, addr netip.Addr, port uint16, log *capture.Log) {
	o := log.Add(capture.ProtoSOCKS, capture.Request)
	o.Transport = 6
	o.SOCKS.Version, o.SOCKS.Command, o.SOCKS.Port = version, command, port
	if name != nil {
		// Clients give addresses as names too.
		_, o.SOCKS.HostIsIP = parseAddr(name)
		o.Name = httpHostName(log, name)
		return
	}
	var buf [64]byte
	o.Name = log.Copy(addr.AppendTo(buf[:0]))
	o.SOCKS.HostIsIP = true
}
