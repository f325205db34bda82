package geo

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// EncodeTable packs rows, which must be in order within their family and must not
// overlap. Neighbours of the same value are joined. names gives names to some values;
// what cannot be printed is left out of them.
func EncodeTable(h Header, rows []Row, names map[uint32]string) ([]byte, error) {
	if h.Kind != Country && h.Kind != AS {
		return nil, fmt.Errorf("packing a range table: a table is of %s or of %s, not of %s", Country, AS, h.Kind)
	}
	if len(h.Name) > maxName || h.Built < 0 || h.Built > maxSeconds {
		return nil, errors.New("packing a range table: name or date out of range")
	}
	parts, err := partsOf(rows, names)
	if err != nil {
		return nil, fmt.Errorf("packing a range table: %w", err)
	}
	return pack(h, parts)
}

// partsOf returns the parts of the table that holds rows, not yet packed.
func partsOf(rows []Row, names map[uint32]string) (parts [3][]byte, err error) {
	p, index := newPalette(rows, names)
	if parts[0], err = appendPalette(nil, p); err != nil {
		return parts, err
	}
	for i, in := range [2]space{space4, space6} {
		s, err := segmentsOf(rows, in, index)
		if err != nil {
			return parts, err
		}
		parts[i+1] = appendSegments(nil, s)
	}
	return parts, nil
}

// pack joins header and parts.
func pack(h Header, parts [3][]byte) ([]byte, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(8<<20))
	if err != nil {
		return nil, fmt.Errorf("packing a range table: %w", err)
	}
	b := append([]byte(magic), byte(h.Kind))
	b = binary.AppendUvarint(b, uint64(h.Built))
	b = appendString(b, h.Name)
	var packed []byte
	for _, raw := range parts {
		if len(raw) > maxRaw {
			return nil, errors.New("packing a range table: too many rows")
		}
		n := len(packed)
		packed = z.EncodeAll(raw, packed)
		b = binary.AppendUvarint(b, uint64(len(packed)-n))
		b = binary.AppendUvarint(b, uint64(len(raw)))
	}
	return append(b, packed...), z.Close()
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendPalette(b []byte, p palette) ([]byte, error) {
	if len(p.values) > maxPalette || len(p.names) > maxNames {
		return nil, fmt.Errorf("%d values and %d names are too many", len(p.values), len(p.names))
	}
	b = binary.AppendUvarint(b, uint64(len(p.values)-1))
	for i, v := range p.values[1:] {
		b = binary.AppendUvarint(b, uint64(v-p.values[i]))
	}
	b = binary.AppendUvarint(b, uint64(len(p.names)-1))
	for _, name := range p.names[1:] {
		b = appendString(b, name)
	}
	return b, nil
}

// newPalette numbers the values, those with a name first.
func newPalette(rows []Row, names map[uint32]string) (palette, map[uint32]uint32) {
	unnamed := map[uint32]int{}
	for _, r := range rows {
		if unnamed[r.Value] = 1; cleanName(names[r.Value]) != "" {
			unnamed[r.Value] = 0
		}
	}
	values := slices.SortedFunc(maps.Keys(unnamed), func(a, b uint32) int {
		return cmp.Or(unnamed[a]-unnamed[b], cmp.Compare(a, b))
	})
	p := palette{values: append([]uint32{0}, values...), names: []string{""}}
	index := make(map[uint32]uint32, len(values))
	for i, v := range values {
		index[v] = uint32(i + 1)
		if unnamed[v] == 0 {
			p.names = append(p.names, cleanName(names[v]))
		}
	}
	return p, index
}

// segmentsOf fills the space with the rows that are of its family.
func segmentsOf(rows []Row, in space, index map[uint32]uint32) (segments, error) {
	s := segments{starts: []key{in.base}, values: []uint32{0}}
	full := false
	for _, r := range rows {
		if r.First.Is4() != (in == space4) {
			continue
		}
		first, last := keyOf(r.First), keyOf(r.Last)
		at := s.starts[len(s.starts)-1]
		switch {
		case r.First.Is4() != r.Last.Is4() || last.less(first) || !in.contains(first) || !in.contains(last):
			return s, fmt.Errorf("%s-%s is no range of %s addresses in use", r.First, r.Last, in.name)
		case full || first.less(at):
			return s, fmt.Errorf("%s-%s is out of order or overlaps the row before it", r.First, r.Last)
		case r.Value == 0:
			return s, fmt.Errorf("%s-%s has the value 0, which stands for none", r.First, r.Last)
		}
		s.put(first, index[r.Value])
		if full = last == in.last(); !full {
			end, _ := last.plus(one)
			s.begin(end, 0)
		}
	}
	if len(s.starts) > maxSegments {
		return s, fmt.Errorf("%d %s ranges are too many", len(s.starts), in.name)
	}
	return s, nil
}

// put gives the addresses from start on a value: the last segment has none and begins
// at start or before.
func (s *segments) put(start key, value uint32) {
	last := len(s.starts) - 1
	if s.starts[last] != start {
		s.begin(start, value)
		return
	}
	if last > 0 && s.values[last-1] == value {
		s.starts, s.values = s.starts[:last], s.values[:last]
		return
	}
	s.values[last] = value
}

func (s *segments) begin(start key, value uint32) {
	s.starts = append(s.starts, start)
	s.values = append(s.values, value)
}
