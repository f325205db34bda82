package proto

import (
	"encoding/binary"

	"telltale/capture"
)

// MySQL's request for TLS (MySQL documentation, "Protocol::SSLRequest"): the first part
// of a login, after which the client goes on with a ClientHello without waiting.
const (
	mysqlRequest  = 4 + 32 // header and body, in bytes
	mysqlHeader   = "\x20\x00\x00\x01"
	mysqlSSL      = 1 << 11 // CLIENT_SSL
	mysql41       = 1 << 9  // CLIENT_PROTOCOL_41
	mysqlReserved = 4 + 9   // offset of bytes that are zero
	mysqlZeros    = 19      // of which MariaDB uses the last four of 23
)

var _ = registerStream(Stream{
	Proto:   capture.ProtoMySQL,
	From:    Client,
	Order:   57,
	Opening: true,
	Match:   mysqlMatch,
	Parse: func(b []byte, _ bool, _ *capture.Log) (int, Status) {
		switch mysqlMatch(b) {
		case No:
			return 0, Reject
		case More:
			return 0, Incomplete
		}
		return mysqlRequest, Done
	},
})

// mysqlMatch wants all of the request: its first bytes prove little.
func mysqlMatch(b []byte) Verdict {
	if v := matchPrefix(b, mysqlHeader); v != Yes {
		return v
	}
	if len(b) >= 8 {
		if flags := binary.LittleEndian.Uint32(b[4:]); flags&mysqlSSL == 0 || flags&mysql41 == 0 {
			return No
		}
	}
	for i := mysqlReserved; i < min(len(b), mysqlReserved+mysqlZeros); i++ {
		if b[i] != 0 {
			return No
		}
	}
	if len(b) < mysqlRequest {
		return More
	}
	return Yes
}
