package geo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/klauspost/compress/zstd"
)

// A table is: magic, kind (1 byte), date (varint, seconds since 1970 UTC), length of the
// name (varint), name; for each of the three parts its length and its length unpacked
// (varints); then the parts, each a zstd frame (RFC 8878): palette, IPv4, IPv6.
const magic = "ranges1\n"

// Bounds on what is read.
const (
	maxName    = 128
	maxNames   = 1 << 16
	maxPalette = 1 << 20
	maxSeconds = 1 << 33  // the year 2242: nanoseconds still fit
	maxRaw     = 16 << 20 // bytes of one part unpacked
)

// part is a packed part of a table.
type part struct {
	packed []byte
	raw    int // length unpacked
}

// unpack returns the content of the part.
func (p part) unpack() ([]byte, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxRaw),
		zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	raw, err := z.DecodeAll(p.packed, make([]byte, 0, p.raw))
	if err != nil {
		return nil, err
	}
	if len(raw) != p.raw {
		return nil, errTruncated
	}
	return raw, nil
}

// reader takes numbers and strings from the front of b and remembers failure.
type reader struct {
	b      []byte
	failed bool
}

// number returns the next varint if it is at most limit.
func (r *reader) number(limit uint64) uint64 {
	n, used := binary.Uvarint(r.b)
	if used <= 0 || n > limit {
		r.failed, r.b = true, nil
		return 0
	}
	r.b = r.b[used:]
	return n
}

// bytes returns the next n bytes.
func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.failed, r.b = true, nil
		return nil
	}
	head := r.b[:n]
	r.b = r.b[n:]
	return head
}

// parseHeader reads what stands before the parts and finds them.
func parseHeader(data []byte) (Header, [3]part, error) {
	r := reader{b: data}
	var parts [3]part
	if string(r.bytes(uint64(len(magic)))) != magic {
		return Header{}, parts, errors.New("this is no range table of this version")
	}
	h := Header{Kind: Kind(r.number(math.MaxUint8)), Built: int64(r.number(maxSeconds))}
	h.Name = string(r.bytes(r.number(maxName)))
	var sizes [len(parts)]uint64
	for i := range parts {
		sizes[i] = r.number(maxRaw)
		parts[i].raw = int(r.number(maxRaw))
	}
	for i := range parts {
		parts[i].packed = r.bytes(sizes[i])
	}
	switch {
	case r.failed:
		return Header{}, parts, errTruncated
	case len(r.b) != 0:
		return Header{}, parts, fmt.Errorf("%d bytes too many", len(r.b))
	case h.Kind != Country && h.Kind != AS:
		return Header{}, parts, fmt.Errorf("unknown kind %d", h.Kind)
	}
	return h, parts, nil
}

// parsePalette reads the values, each by its distance from the one before modulo 2^32,
// and the names of the first of them.
func parsePalette(raw []byte) (palette, error) {
	r := reader{b: raw}
	n := r.number(min(maxPalette, uint64(len(raw))))
	p := palette{values: make([]uint32, 1, n+1)}
	for i := range n {
		p.values = append(p.values, p.values[i]+uint32(r.number(math.MaxUint32)))
	}
	named := r.number(min(maxNames, n))
	p.names = make([]string, 1, named+1)
	for range named {
		p.names = append(p.names, string(r.bytes(r.number(maxName))))
	}
	if r.failed || len(r.b) != 0 {
		return palette{}, fmt.Errorf("values: %w", errTruncated)
	}
	return p, nil
}
