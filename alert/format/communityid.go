package format

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"

	"telltale/detect"
)

// communityID returns the Community ID of a TCP or UDP contact, version 1 with seed 0,
// by which Suricata, Zeek and others name the same flow; "" for others
// (github.com/corelight/community-id-spec).
func communityID(c *detect.Contact) string {
	if c.Transport != 6 && c.Transport != 17 {
		return ""
	}
	src, dst := c.Client.Addr().AsSlice(), c.Server.Addr().AsSlice()
	sport, dport := c.Client.Port(), c.Server.Port()
	if d := bytes.Compare(src, dst); d > 0 || d == 0 && sport > dport {
		src, dst, sport, dport = dst, src, dport, sport
	}
	b := make([]byte, 2, 40) // the seed
	b = append(append(b, src...), dst...)
	b = append(b, c.Transport, 0)
	b = binary.BigEndian.AppendUint16(b, sport)
	b = binary.BigEndian.AppendUint16(b, dport)
	sum := sha1.Sum(b)
	return "1:" + base64.StdEncoding.EncodeToString(sum[:])
}
