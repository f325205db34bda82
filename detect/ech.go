package detect

import (
	"encoding/binary"
	"strings"

	"telltale/capture"
)

// echConfigs remembers which public names were published with which config id, and
// until when, from the HTTPS records seen in DNS: a hello that uses one is real, any
// other is GREASE. It is one table for all hosts: a configuration belongs to the server,
// and a host may have learned it where it is not seen, from another resolver or by
// encrypted DNS. A full table forgets what it learned first.
type echConfigs struct {
	limit     int
	known     map[echKey]int64 // packet time until which it is used
	order     []echKey         // in the order they were learned
	forgotten uint64           // of those still in use
}

type echKey struct {
	name string
	id   uint8
}

// maxECH bounds the configurations remembered. A provider has a few for all its sites.
const maxECH = 4096

func newECHConfigs(limit int) echConfigs {
	return echConfigs{limit: limit, known: make(map[echKey]int64)}
}

// learn keeps the configurations of an answer that came at the given time.
func (c *echConfigs) learn(d *capture.DNS, now int64) {
	for i := range d.Answers {
		if a := &d.Answers[i]; len(a.ECH) > 0 {
			c.list(a.ECH, now, now+int64(min(a.TTL, maxTTL))*1e9+graceTTL)
		}
	}
}

// list keeps the configurations of an ECHConfigList (RFC 9849 §4).
func (c *echConfigs) list(list []byte, now, until int64) {
	const version, header = 0xfe0d, 4
	if len(list) < 2 {
		return
	}
	for list = list[2:]; len(list) >= header; {
		kind, n := binary.BigEndian.Uint16(list), int(binary.BigEndian.Uint16(list[2:]))
		if len(list) < header+n {
			return
		}
		if kind == version {
			if k, ok := echConfig(list[header : header+n]); ok {
				c.put(k, now, until)
			}
		}
		list = list[header+n:]
	}
}

func (c *echConfigs) put(k echKey, now, until int64) {
	if old, ok := c.known[k]; ok {
		c.known[k] = max(old, until)
		return
	}
	if len(c.order) >= c.limit {
		if c.known[c.order[0]] >= now {
			c.forgotten++
		}
		delete(c.known, c.order[0])
		c.order = c.order[1:]
	}
	c.known[k] = until
	c.order = append(c.order, k)
}

// echConfig reads config id and public name of ECHConfigContents (RFC 9849 §4).
func echConfig(b []byte) (k echKey, ok bool) {
	if len(b) < 5 {
		return k, false
	}
	k.id = b[0]
	b = b[3:]     // config_id, kem_id
	for range 2 { // public_key, cipher_suites
		if len(b) < 2 || len(b) < 2+int(binary.BigEndian.Uint16(b)) {
			return k, false
		}
		b = b[2+int(binary.BigEndian.Uint16(b)):]
	}
	if len(b) < 2 || len(b) < 2+int(b[1]) { // maximum_name_length, public_name
		return k, false
	}
	k.name = strings.ToLower(strings.TrimSuffix(string(b[2:2+int(b[1])]), "."))
	return k, k.name != ""
}

// published says whether the hello uses a configuration that was seen in DNS and has
// not expired.
func (c *echConfigs) published(o *capture.Observation) bool {
	if len(c.known) == 0 {
		return false
	}
	until, ok := c.known[echKey{string(o.Name), o.TLS.ECH.ConfigID}]
	return ok && o.Time <= until
}
