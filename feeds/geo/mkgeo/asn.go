package main

import (
	"cmp"
	_ "embed" // the list of named systems
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"telltale/feeds/geo"
)

// named lists AS numbers whose names go into the table, whatever their size.
//
//go:embed named.txt
var named string

// largest is how many systems go into the table with their name for their size alone.
const largest = 4096

// systems are the ranges of autonomous systems, their names, and how many IPv4
// addresses each announces.
type systems struct {
	rows  []geo.Row
	names map[uint32]string
	size  map[uint32]uint64
}

// readSystems reads lists of first address, last address, AS number, name.
func readSystems(files ...string) (*systems, error) {
	s := &systems{names: map[uint32]string{}, size: map[uint32]uint64{}}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(s.read(f), f.Close()); err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
	}
	return s, nil
}

func (s *systems) read(f io.Reader) error {
	lines := csv.NewReader(f)
	lines.FieldsPerRecord = 4
	lines.ReuseRecord = true
	for {
		fields, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		r, err := parseRow(fields)
		if err != nil {
			line, _ := lines.FieldPos(0)
			return fmt.Errorf("line %d: %w", line, err)
		}
		s.add(r, strings.Clone(fields[3]))
	}
}

func parseRow(fields []string) (geo.Row, error) {
	first, err := netip.ParseAddr(fields[0])
	last, err2 := netip.ParseAddr(fields[1])
	n, err3 := strconv.ParseUint(fields[2], 10, 32)
	if err := errors.Join(err, err2, err3); err != nil {
		return geo.Row{}, err
	}
	if first.BitLen() != last.BitLen() || last.Less(first) {
		return geo.Row{}, fmt.Errorf("%s-%s is no range", first, last)
	}
	return geo.Row{First: first, Last: last, Value: uint32(n)}, nil
}

// add takes a row; AS 0 stands for none.
func (s *systems) add(r geo.Row, name string) {
	if r.Value == 0 {
		return
	}
	s.rows = append(s.rows, r)
	if s.names[r.Value] == "" {
		s.names[r.Value] = name
	}
	if r.First.Is4() {
		s.size[r.Value] += uint64(number4(r.Last)-number4(r.First)) + 1
	}
}

func number4(a netip.Addr) uint32 {
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// chosenNames returns the names of the largest systems and of those in named.
func (s *systems) chosenNames() map[uint32]string {
	chosen := map[uint32]string{}
	bySize := slices.SortedFunc(maps.Keys(s.names), func(a, b uint32) int {
		return cmp.Or(cmp.Compare(s.size[b], s.size[a]), cmp.Compare(a, b))
	})
	for _, n := range bySize[:min(largest, len(bySize))] {
		chosen[n] = s.names[n]
	}
	for line := range strings.Lines(named) {
		line, _, _ = strings.Cut(line, "#")
		for field := range strings.FieldsSeq(line) {
			n, err := strconv.ParseUint(field, 10, 32)
			if name := s.names[uint32(n)]; err == nil && name != "" {
				chosen[uint32(n)] = name
			}
		}
	}
	return chosen
}
