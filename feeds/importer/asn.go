package importer

import (
	"strconv"
	"strings"
)

// parseASN reads "AS65536" or "65536". AS 0 is none (RFC 7607).
func parseASN(s string) (uint32, bool) {
	if len(s) > 2 && strings.EqualFold(s[:2], "AS") {
		s = s[2:]
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil && n != 0
}
