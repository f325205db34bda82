package proto

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
)

// quicFindServerName looks for a server_name extension in a piece of a ClientHello
// whose beginning is missing. It takes an extension with exactly one host_name of
// the characters of a host name, whose three nested lengths agree: chance does not
// make one. It returns nil if there is none.
func quicFindServerName(b []byte) []byte {
	start := [2]byte{} // the extension type
	for {
		i := bytes.Index(b, start[:])
		if i < 0 {
			return nil
		}
		if name := quicServerNameAt(b[i+len(start):]); name != nil {
			return name
		}
		b = b[i+1:]
	}
}

func quicServerNameAt(b []byte) []byte {
	s := cryptobyte.String(b)
	var extension, list, name cryptobyte.String
	var kind uint8
	if !s.ReadUint16LengthPrefixed(&extension) ||
		!extension.ReadUint16LengthPrefixed(&list) || !extension.Empty() ||
		!list.ReadUint8(&kind) || kind != 0 ||
		!list.ReadUint16LengthPrefixed(&name) || !list.Empty() || !quicIsHostName(name) {
		return nil
	}
	return name
}

func quicIsHostName(name []byte) bool {
	if len(name) == 0 || len(name) > 253 {
		return false
	}
	for _, c := range name {
		if !ja4Alphanumeric(c) && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
