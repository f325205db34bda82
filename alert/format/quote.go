package format

import "unicode/utf16"

// appendString appends s as a JSON string of ASCII only; bytes that are not UTF-8 stand
// as U+FFFD.
func appendString(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	unit := func(v uint16) {
		dst = append(dst, '\\', 'u', digits[v>>12], digits[v>>8&15], digits[v>>4&15], digits[v&15])
	}
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r >= 0x20 && r < 0x7f:
			dst = append(dst, byte(r))
		case r < 0x10000:
			unit(uint16(r))
		default:
			hi, lo := utf16.EncodeRune(r)
			unit(uint16(hi))
			unit(uint16(lo))
		}
	}
	return append(dst, '"')
}
