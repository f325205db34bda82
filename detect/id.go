package detect

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// findingID derives a Finding's id from what it is about, so that every replay and
// every sensor gives the same one.
func findingID(f *Finding) string {
	b := append(make([]byte, 0, 128), "finding"...)
	part := func(s string) { b = append(append(b, 0), s...) }
	part(f.Topic.String())
	b = f.Host.Addr.AppendTo(append(b, 0))
	part(f.Vendor)
	part(f.Product)
	part(f.rangeKey)
	if n := f.host.generation; n > 0 { // another host had the address before
		b = strconv.AppendInt(append(b, 0), int64(n), 10)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:12])
}
