package geo

import (
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"sync"
)

// Kind says what a source tells of an address.
type Kind uint8

// Kinds of sources.
const (
	Country Kind = 1 << iota // where an address is thought to be
	AS                       // which autonomous system announces it
)

// String returns "country", "AS" or "country and AS".
func (k Kind) String() string {
	switch k {
	case Country:
		return "country"
	case AS:
		return "AS"
	case Country | AS:
		return "country and AS"
	}
	return "nothing"
}

// Header says what a Table is.
type Header struct {
	Kind  Kind   // Country or AS
	Name  string // of the source, as people know it
	Built int64  // date of the source, seconds since 1970 UTC
}

// Row is a range of addresses of one family, First and Last included, and its value: an
// AS number, or a country as CountryValue gives it.
type Row struct {
	First, Last netip.Addr
	Value       uint32
}

// Table is a packed flat table of address ranges. Its parts are unpacked when they are
// first needed; it may be used by several goroutines at once.
type Table struct {
	Header
	palette func() (palette, error)
	v4      func() (*ranges4, error)
	v6      func() (*ranges6, error)
}

// palette holds the values that occur, and the names of the first of them: the name of
// a country is its code. Index 0 stands for no value.
type palette struct {
	values []uint32
	names  []string
}

func (p *palette) nameCountries() {
	p.names = make([]string, len(p.values))
	for i, v := range p.values {
		p.names[i] = countryOf(v)
	}
}

// ReadTable reads a table that EncodeTable made. It keeps data and looks at the header
// only: Load tells whether the rest can be read.
func ReadTable(data []byte) (*Table, error) {
	h, parts, err := parseHeader(data)
	if err != nil {
		return nil, fmt.Errorf("reading a range table: %w", err)
	}
	return newTable(h, [3]func() ([]byte, error){parts[0].unpack, parts[1].unpack, parts[2].unpack}), nil
}

// newTable makes a table of parts that are yet to be unpacked: palette, IPv4, IPv6.
func newTable(h Header, unpack [3]func() ([]byte, error)) *Table {
	t := &Table{Header: h}
	t.palette = sync.OnceValues(func() (palette, error) {
		raw, err := unpack[0]()
		if err != nil {
			return palette{}, err
		}
		p, err := parsePalette(raw)
		if h.Kind == Country {
			p.nameCountries()
		}
		return p, err
	})
	t.v4 = sync.OnceValues(func() (*ranges4, error) { return half(t, unpack[1], parseRanges4) })
	t.v6 = sync.OnceValues(func() (*ranges6, error) { return half(t, unpack[2], parseRanges6) })
	return t
}

// Load unpacks the whole table and tells whether it is sound.
func (t *Table) Load() error {
	_, err := t.palette()
	_, err4 := t.v4()
	_, err6 := t.v6()
	if err := errors.Join(err, err4, err6); err != nil {
		return fmt.Errorf("unpacking the table %s: %w", t.Name, err)
	}
	return nil
}

// half unpacks one half of the table.
func half[R any](t *Table, unpack func() ([]byte, error), parse func([]byte, int) (*R, error)) (*R, error) {
	p, err := t.palette()
	if err != nil {
		return nil, err
	}
	raw, err := unpack()
	if err != nil {
		return nil, err
	}
	return parse(raw, len(p.values))
}

// find returns the value at a and its name, 0 and "" if there is none, and the length
// of the prefix around a they hold for. A table that cannot be read knows nothing.
func (t *Table) find(a netip.Addr) (value uint32, name string, prefix int) {
	var index uint32
	if a.Is4() {
		half, err := t.v4()
		if err != nil {
			return 0, "", 32
		}
		index, prefix = half.find(uint32(keyOf(a).lo))
	} else {
		half, err := t.v6()
		if err != nil {
			return 0, "", 128
		}
		index, prefix = half.find(keyOf(a))
	}
	p, err := t.palette()
	if err != nil {
		return 0, "", prefix
	}
	if int(index) < len(p.names) {
		name = p.names[index]
	}
	return p.values[index], name, prefix
}

// Rows returns the ranges that have a value, IPv4 before IPv6, in order. Neighbours
// have different values.
func (t *Table) Rows() (iter.Seq[Row], error) {
	if err := t.Load(); err != nil {
		return nil, err
	}
	p, _ := t.palette()
	v4, _ := t.v4()
	v6, _ := t.v6()
	return func(yield func(Row) bool) {
		for i, v := range v4.values {
			last := uint32(space4.last().lo)
			if i+1 < len(v4.starts) {
				last = v4.starts[i+1] - 1
			}
			if v != 0 && !yield(Row{addr4(v4.starts[i]), addr4(last), p.values[v]}) {
				return
			}
		}
		for i, v := range v6.values {
			last := space6.last()
			if i+1 < len(v6.starts) {
				last = v6.starts[i+1].minus(one)
			}
			if v != 0 && !yield(Row{v6.starts[i].addr6(), last.addr6(), p.values[v]}) {
				return
			}
		}
	}, nil
}
