package capture

import "strconv"

// AppendEscaped appends raw bytes of the network as printable ASCII: a byte outside
// 0x20-0x7e as \DDD in decimal, a backslash doubled. It is safe on a terminal, in a log
// and in a line-based format, and loses nothing.
func AppendEscaped(dst, raw []byte) []byte {
	for _, c := range raw {
		switch {
		case c == '\\':
			dst = append(dst, '\\', '\\')
		case c < 0x20 || c > 0x7e:
			dst = append(dst, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// AppendMAC appends a hardware address in the colon form.
func AppendMAC(dst []byte, mac [6]byte) []byte {
	const digits = "0123456789abcdef"
	for i, b := range mac {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = append(dst, digits[b>>4], digits[b&15])
	}
	return dst
}

// appendQuoted appends printable ASCII, as names are, as a JSON string.
func appendQuoted(dst, s []byte) []byte {
	dst = append(dst, '"')
	for _, c := range s {
		if c == '"' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}

// appendText appends raw bytes as a JSON string of their escaped form.
func appendText(dst, raw []byte) []byte {
	at := len(dst)
	dst = AppendEscaped(dst, raw)
	if escaped := dst[at:]; !plain(escaped) {
		dst = appendQuoted(dst[:at], []byte(string(escaped)))
		return dst
	}
	dst = append(dst, `""`...)
	copy(dst[at+1:], dst[at:len(dst)-2])
	dst[at] = '"'
	return dst
}

// plain says that s needs no further escape within JSON quotes.
func plain(s []byte) bool {
	for _, c := range s {
		if c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// typeName returns the mnemonic of a DNS RR type (IANA), TYPEn for others (RFC 3597 §5).
func typeName(t uint16) string {
	if n, ok := typeNames[t]; ok {
		return n
	}
	return "TYPE" + strconv.Itoa(int(t))
}

var typeNames = map[uint16]string{
	1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT",
	28: "AAAA", 33: "SRV", 35: "NAPTR", 39: "DNAME", 43: "DS", 46: "RRSIG", 47: "NSEC",
	48: "DNSKEY", 50: "NSEC3", 52: "TLSA", 64: "SVCB", 65: "HTTPS", 99: "SPF",
	251: "IXFR", 252: "AXFR", 255: "ANY", 257: "CAA",
}

// rcodeName returns the mnemonic of a DNS response code (IANA), RCODEn for others.
func rcodeName(r uint16) string {
	if int(r) < len(rcodeNames) {
		return rcodeNames[r]
	}
	return "RCODE" + strconv.Itoa(int(r))
}

var rcodeNames = [...]string{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE"}

// TypeName returns the mnemonic of the question's type (IANA), TYPEn for others.
func (d *DNS) TypeName() string { return typeName(d.Type) }

// RCodeName returns the mnemonic of the response code (IANA), RCODEn for others.
func (d *DNS) RCodeName() string { return rcodeName(d.RCode) }

// TypeName returns the mnemonic of the record's type (IANA), TYPEn for others.
func (a *Answer) TypeName() string { return typeName(a.Type) }
