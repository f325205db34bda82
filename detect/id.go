package detect

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// findingID derives a Finding's id from what it is about, so that every replay and
// every sensor gives the same one.
func findingID(f *Finding) string {
	parts := []string{"finding", f.Topic.String(), f.Host.Addr.String(), f.Vendor, f.Product, f.rangeKey}
	if n := f.host.generation; n > 0 { // another host had the address before
		parts = append(parts, strconv.Itoa(n))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:12])
}
