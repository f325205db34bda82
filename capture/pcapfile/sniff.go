package pcapfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"
)

// kind is a file format as told by the first bytes.
type kind uint8

const (
	kindUnknown kind = iota
	kindClassic
	kindSection
	kindGzip
	kindZstd
)

// magicLength is how many bytes sniff needs.
const magicLength = 4

// sniff tells the format by the first four bytes.
func sniff(head []byte) kind {
	if len(head) < magicLength {
		return kindUnknown
	}
	m := binary.LittleEndian.Uint32(head)
	switch {
	case isClassicMagic(m), isClassicMagic(swap32(m)):
		return kindClassic
	case m == blockSection:
		return kindSection
	case m&0xffffff == 0x088b1f: // RFC 1952 §2.3.1, method 8
		return kindGzip
	case m == 0xfd2fb528, m&^0xf == 0x184d2a50: // RFC 8878 §3.1.1 and §3.1.2
		return kindZstd
	}
	return kindUnknown
}

// foreignFormats are formats a user may well offer and that are not read, with what to do.
var foreignFormats = []struct{ magic, advice string }{
	{"\xfd7zXZ\x00", "xz: decompress first with xz -d"},
	{"BZh", "bzip2: decompress first with bzip2 -d"},
	{"\x04\x22\x4d\x18", "lz4: decompress first with lz4 -d"},
	{"PK\x03\x04", "zip: unpack first with unzip"},
	{"7z\xbc\xaf\x27\x1c", "7z: unpack first with 7z x"},
	{"snoop\x00\x00\x00", "snoop capture: convert first with editcap -F pcap"},
	{"GMBU", "Network Monitor capture: convert first with editcap -F pcap"},
	{"RTSS", "Network Monitor capture: convert first with editcap -F pcap"},
	{"XCP\x00", "NetXRay capture: convert first with editcap -F pcap"},
	{"TRSNIFF data", "Sniffer capture: convert first with editcap -F pcap"},
}

const whatIsRead = "give a pcap or pcapng file, plain or compressed by gzip or zstd"

// refuse says why content beginning with head is not read.
func refuse(head []byte) *FileError {
	e := &FileError{Problem: NotCapture}
	for _, f := range foreignFormats {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			e.Reason, e.foreign = f.advice, true
			return e
		}
	}
	switch {
	case len(head) == 0:
		e.Reason = "empty file: nothing was captured or it has not been flushed yet; " + whatIsRead
	case sniff(head) != kindUnknown:
		e.Reason = "compressed twice: decompress it once"
		e.foreign = true
	case isText(head):
		e.Reason = "text, not a capture: " + whatIsRead
	default:
		e.Reason = fmt.Sprintf("unknown format (begins with % x): %s", head[:min(len(head), magicLength)], whatIsRead)
	}
	return e
}

func isText(head []byte) bool {
	odd := func(r rune) bool { return r == utf8.RuneError || r < ' ' && !strings.ContainsRune("\t\r\n", r) }
	return !bytes.ContainsFunc(head, odd)
}
