package proto

// Names as wire bytes come in any case and with any byte; every protocol reports
// them in one form, so that a name learnt from DNS equals the same name in a TLS
// SNI or an HTTP Host.

// AppendHost appends the canonical form of a host name as it stands in an HTTP Host
// header or a TLS server_name: A-Z in lower case, one trailing dot stripped, the
// backslash and bytes outside 0x21-0x7e as \DDD (the escape of RFC 1035 §5.1).
func AppendHost(dst, raw []byte) []byte {
	if n := len(raw); n > 0 && raw[n-1] == '.' {
		raw = raw[:n-1]
	}
	for _, c := range raw {
		if c == '\\' {
			dst = nameAppendDecimal(dst, c)
			continue
		}
		dst = nameAppendByte(dst, c)
	}
	return dst
}

// nameAppendByte appends c in lower case, or as \DDD where it is not printable.
func nameAppendByte(dst []byte, c byte) []byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return append(dst, c|0x20)
	case c < 0x21 || c > 0x7e:
		return nameAppendDecimal(dst, c)
	}
	return append(dst, c)
}

func nameAppendDecimal(dst []byte, c byte) []byte {
	return append(dst, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
}

// nameAppendLabel appends one DNS label: as AppendHost does, but a dot inside the
// label is \. and a backslash is \\ (RFC 1035 §5.1).
func nameAppendLabel(dst, label []byte) []byte {
	for _, c := range label {
		if c == '.' || c == '\\' {
			dst = append(dst, '\\', c)
			continue
		}
		dst = nameAppendByte(dst, c)
	}
	return dst
}
