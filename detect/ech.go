package detect

import (
	"encoding/binary"
	"strings"

	"telltale/capture"
)

// echConfigs remembers which public names were published with which config id, from
// the HTTPS records seen in DNS: a hello that uses one is real, any other is GREASE.
type echConfigs map[echKey]struct{}

type echKey struct {
	name string
	id   uint8
}

// maxECH bounds the configurations remembered.
const maxECH = 4096

// learn keeps the configurations of an answer.
func (c echConfigs) learn(d *capture.DNS) {
	for i := range d.Answers {
		list := d.Answers[i].ECH
		if len(list) < 2 {
			continue
		}
		list = list[2:]
		for len(list) >= 4 && len(c) < maxECH {
			version, n := binary.BigEndian.Uint16(list), int(binary.BigEndian.Uint16(list[2:]))
			if len(list) < 4+n {
				break
			}
			if version == 0xfe0d {
				if k, ok := echConfig(list[4 : 4+n]); ok {
					c[k] = struct{}{}
				}
			}
			list = list[4+n:]
		}
	}
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

// published says whether the hello uses a configuration that was seen in DNS.
func (c echConfigs) published(o *capture.Observation) bool {
	if len(c) == 0 {
		return false
	}
	_, ok := c[echKey{string(o.Name), o.TLS.ECH.ConfigID}]
	return ok
}
