package geo

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// netipCmp lets cmp look at addresses.
var netipCmp = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

func row(first, last string, value uint32) Row {
	return Row{netip.MustParseAddr(first), netip.MustParseAddr(last), value}
}

// encode packs rows into a table of AS numbers.
func encode(tb testing.TB, rows []Row, names map[uint32]string) *Table {
	tb.Helper()
	data, err := EncodeTable(Header{AS, "test", 1_780_000_000}, rows, names)
	if err != nil {
		tb.Fatal(err)
	}
	return readEmbedded(tb, data)
}

func rowsOf(tb testing.TB, t *Table) []Row {
	tb.Helper()
	rows, err := t.Rows()
	if err != nil {
		tb.Fatal(err)
	}
	return slices.Collect(rows)
}

func TestTableHoldsRows(t *testing.T) {
	rows := []Row{
		row("0.0.0.0", "0.0.0.255", 7),
		row("77.88.0.0", "77.88.5.255", 13238),
		row("77.88.6.0", "77.88.6.255", 44534),
		row("77.88.6.255", "77.88.7.3", 1), // overlaps
		row("255.255.255.255", "255.255.255.255", 1<<32-1),
		row("2000::", "2000::", 3),
		row("2a02:6b8::", "2a02:6b8:a:ffff:ffff:ffff:ffff:ffff", 13238),
		row("3fff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 4),
	}
	if _, err := EncodeTable(Header{Kind: AS}, rows, nil); err == nil || !strings.Contains(err.Error(), "overlaps") {
		t.Errorf("overlapping rows: error %v", err)
	}
	rows[3] = row("77.88.7.0", "77.88.7.3", 44534)
	table := encode(t, rows, map[uint32]string{13238: "YANDEX\u00a0 LLC\x1b"})
	if table.Header != (Header{AS, "test", 1_780_000_000}) {
		t.Errorf("header %+v", table.Header)
	}
	want := slices.Delete(slices.Clone(rows), 3, 4)
	want[2].Last = netip.MustParseAddr("77.88.7.3") // joined
	if diff := cmp.Diff(want, rowsOf(t, table), netipCmp); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	for _, c := range []struct {
		addr   string
		value  uint32
		name   string
		prefix int
	}{
		{"0.0.0.9", 7, "", 24},
		{"0.0.1.0", 0, "", 24},
		{"77.88.4.1", 13238, "YANDEX LLC", 23},
		{"77.88.7.3", 44534, "", 30},
		{"77.88.7.4", 0, "", 30},
		{"128.0.0.0", 0, "", 2},
		{"255.255.255.255", 1<<32 - 1, "", 32},
		{"2000::", 3, "", 128},
		{"2000::1", 0, "", 128},
		{"2a02:6b8::feed:ff", 13238, "YANDEX LLC", 45},
		{"2a02:6b8:a::", 13238, "YANDEX LLC", 48},
		{"2a02:6b8:b::", 0, "", 48},
		{"3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 4, "", 127},
		{"fe80::1", 0, "", 128},
	} {
		value, name, prefix := table.find(netip.MustParseAddr(c.addr))
		if value != c.value || name != c.name || prefix != c.prefix {
			t.Errorf("find(%s) = %d, %q, /%d, want %d, %q, /%d", c.addr, value, name, prefix, c.value, c.name, c.prefix)
		}
	}
}

func TestEncodeTableRefuses(t *testing.T) {
	ok := Header{Kind: Country}
	for _, c := range []struct {
		header Header
		row    Row
		want   string
	}{
		{Header{Kind: Country | AS}, row("1.0.0.0", "1.0.0.0", 1), "a table is of country or of AS"},
		{Header{Kind: AS, Name: strings.Repeat("x", maxName+1)}, row("1.0.0.0", "1.0.0.0", 1), "out of range"},
		{Header{Kind: AS, Built: -1}, row("1.0.0.0", "1.0.0.0", 1), "out of range"},
		{ok, row("1.0.0.1", "1.0.0.0", 1), "is no range"},
		{ok, row("1.0.0.1", "2001::1", 1), "is no range"},
		{ok, row("fe80::", "fe80::1", 1), "is no range of IPv6 addresses in use"},
		{ok, row("1.0.0.0", "1.0.0.0", 0), "value 0"},
	} {
		if _, err := EncodeTable(c.header, []Row{c.row}, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v %v: error %v, want %q", c.header, c.row, err, c.want)
		}
	}
}

// randomRows draws rows that are in order and do not overlap.
func randomRows(t *rapid.T) []Row {
	var rows []Row
	for _, in := range []space{space4, space6} {
		at := in.base
		for range rapid.IntRange(0, 40).Draw(t, "rows") {
			skip := key{0, rapid.Uint64Range(0, 300).Draw(t, "gap")}.shiftLeft(rapid.UintRange(0, 25).Draw(t, "gap shift"))
			size := key{0, rapid.Uint64Range(0, 300).Draw(t, "size")}.shiftLeft(rapid.UintRange(0, 118).Draw(t, "size shift"))
			first, over := at.plus(skip)
			last, over2 := first.plus(size)
			if over || over2 || !in.contains(first) || !in.contains(last) || last == in.last() {
				break
			}
			r := Row{first.addr6(), last.addr6(), rapid.Uint32Range(1, 5).Draw(t, "value")}
			if in == space4 {
				r.First, r.Last = first.addr4(), last.addr4()
			}
			rows = append(rows, r)
			at, _ = last.plus(one)
		}
	}
	return rows
}

// valueAmong is the plain way to look an address up.
func valueAmong(rows []Row, a netip.Addr) uint32 {
	for _, r := range rows {
		if r.First.BitLen() == a.BitLen() && r.First.Compare(a) <= 0 && a.Compare(r.Last) <= 0 {
			return r.Value
		}
	}
	return 0
}

// TestTableAgainstRows holds the table against a search through the rows, at random
// addresses and around the ends of every row, and checks the prefixes: they hold one
// value, and twice as large ones do not fit.
func TestTableAgainstRows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rows := randomRows(rt)
		table := encode(t, rows, nil)
		var probes []netip.Addr
		for _, r := range rows {
			probes = append(probes, r.First, r.Last, r.First.Prev(), r.Last.Next())
		}
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		for range 20 {
			probes = append(probes, addr4(random.Uint32()), key{0x2000<<48 | random.Uint64()>>3, random.Uint64()}.addr6())
		}
		segments := rowsOf(t, table)
		for _, a := range probes {
			if !a.IsValid() || a.Is6() && !space6.contains(keyOf(a)) {
				continue
			}
			value, _, bits := table.find(a)
			if want := valueAmong(rows, a); value != want {
				rt.Fatalf("find(%s) = %d, want %d", a, value, want)
			}
			p, err := a.Prefix(bits)
			if err != nil || !uniform(segments, p, value) {
				rt.Fatalf("find(%s): %s has several values", a, p)
			}
			whole := 0
			if a.Is6() {
				whole = 3
			}
			if larger, _ := a.Prefix(bits - 1); bits > whole && uniform(segments, larger, value) {
				rt.Fatalf("find(%s): %s could be larger", a, p)
			}
		}
	})
}

// uniform reports whether no row with another value meets p, and all of p is in one row
// if value is not 0.
func uniform(rows []Row, p netip.Prefix, value uint32) bool {
	end := p.Addr()
	for bit := p.Bits(); bit < p.Addr().BitLen(); bit++ {
		b := end.AsSlice()
		b[bit/8] |= 0x80 >> (bit % 8)
		end, _ = netip.AddrFromSlice(b)
	}
	for _, r := range rows {
		if r.First.BitLen() != end.BitLen() || end.Less(r.First) || r.Last.Less(p.Addr()) {
			continue
		}
		return r.Value == value && r.First.Compare(p.Addr()) <= 0 && end.Compare(r.Last) <= 0
	}
	return value == 0
}

func TestNumbersKeepTheirValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := key{rapid.Uint64().Draw(t, "hi"), rapid.Uint64().Draw(t, "lo")}.shiftRight(rapid.UintRange(0, 127).Draw(t, "shift"))
		b := appendNumber(nil, k)
		got, used := readNumber(append(slices.Clone(b), 0xff))
		if got != k || used != len(b) {
			t.Fatalf("%v came back as %v from %d of %d bytes", k, got, used, len(b))
		}
		if _, used := readNumber(b[:len(b)-1]); used != 0 {
			t.Fatalf("%v: cut short, but read", k)
		}
	})
}

func TestReadNumberRefusesTooLarge(t *testing.T) {
	if _, used := readNumber(append(bytes.Repeat([]byte{0xff}, 18), 0x04)); used != 0 {
		t.Error("a number of 129 bits was read")
	}
}

func TestReadTableRefuses(t *testing.T) {
	good, err := EncodeTable(Header{Kind: AS, Name: "x"}, []Row{row("1.0.0.0", "1.0.0.255", 9)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"nothing":      nil,
		"other format": []byte("ranges2\n" + string(good[len(magic):])),
		"kind":         append([]byte(magic+"\x07"), good[len(magic)+1:]...),
		"cut short":    good[:len(good)-1],
		"too long":     append(slices.Clone(good), 0),
	} {
		if _, err := ReadTable(data); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	broken := slices.Clone(good)
	broken[len(broken)-1] ^= 0xff // checksum of the last part
	table := readEmbedded(t, broken)
	if err := table.Load(); err == nil {
		t.Error("damaged part: no error")
	}
	if value, _, prefix := table.find(netip.MustParseAddr("2001:200::1")); value != 0 || prefix != 128 {
		t.Errorf("damaged part: find = %d, /%d", value, prefix)
	}
	if value, _, _ := table.find(netip.MustParseAddr("1.0.0.7")); value != 9 {
		t.Errorf("sound part beside a damaged one: find = %d, want 9", value)
	}
}

func TestParseRangesRefuses(t *testing.T) {
	for name, data := range map[string][]byte{
		"empty":           {},
		"no segment":      {0},
		"count too large": {0xff, 0xff, 0xff, 0x7f},
		"no lengths":      {3, 0, 0},
		"zero length":     {2, 0, 0, 0, 1, 0, 0, 0, 0},
		"past the end":    {2, 32, 1, 0, 1, 0, 0, 0, 0},
		"shift too large": {2, 128, 1, 0, 1, 0, 0, 0, 0},
		"unknown value":   {2, 8, 1, 0, 2, 0, 0, 0, 0},
		"values missing":  {2, 8, 1, 0, 1, 0, 0, 0},
		"too long":        {2, 8, 1, 0, 1, 0, 0, 0, 0, 0},
	} {
		if r, err := parseRanges4(data, 2); err == nil {
			t.Errorf("%s: no error but %v", name, r.starts)
		}
	}
	r, err := parseRanges4([]byte{2, 8, 1, 0, 1, 0, 0, 0, 0}, 2)
	if err != nil || !slices.Equal(r.starts, []uint32{0, 256}) || !slices.Equal(r.values, []uint32{0, 1}) {
		t.Errorf("sound segments: %v, %v", r, err)
	}
}

// tableOf makes a table of parts that are not packed.
func tableOf(parts [3][]byte) *Table {
	var unpack [3]func() ([]byte, error)
	for i, raw := range parts {
		unpack[i] = func() ([]byte, error) { return raw, nil }
	}
	return newTable(Header{Kind: AS}, unpack)
}

// FuzzTable reads hostile tables whole, and writes what it can read once more. The parts
// are taken unpacked, so that the fuzzer need not find its way through zstd.
func FuzzTable(f *testing.F) {
	for _, rows := range [][]Row{nil, {row("1.0.0.0", "1.0.0.255", 9), row("2a02:6b8::", "2a02:6b9::", 13238)}} {
		parts, err := partsOf(rows, map[uint32]string{9: "nine"})
		if err != nil {
			f.Fatal(err)
		}
		packed, err := EncodeTable(Header{Kind: AS, Name: "x"}, rows, nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed, parts[0], parts[1], parts[2])
	}
	f.Fuzz(func(t *testing.T, packed, palette, v4, v6 []byte) {
		if table, err := ReadTable(packed); err == nil {
			_ = table.Load() // must not panic
		}
		table := tableOf([3][]byte{palette, v4, v6})
		seq, err := table.Rows()
		if err != nil {
			return
		}
		rows := joined(slices.Collect(seq))
		parts, err := partsOf(rows, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(rows, rowsOf(t, tableOf(parts)), netipCmp); diff != "" {
			t.Errorf("read, written and read again (-want +got):\n%s", diff)
		}
		for _, r := range rows {
			if value, _, _ := table.find(r.Last); value != r.Value {
				t.Errorf("find(%s) = %d, want %d", r.Last, value, r.Value)
			}
		}
	})
}

// joined drops rows of value 0 and joins neighbours of one value, which EncodeTable
// never writes.
func joined(rows []Row) []Row {
	var all []Row
	for _, r := range rows {
		n := len(all) - 1
		switch {
		case r.Value == 0:
		case n >= 0 && all[n].Value == r.Value && all[n].Last.Next() == r.First:
			all[n].Last = r.Last
		default:
			all = append(all, r)
		}
	}
	return all
}
