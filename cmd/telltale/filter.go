package main

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"telltale/capture"
	"telltale/capture/filter"
	"telltale/capture/pcapfile"
)

// filterFlags say which packets are wanted.
type filterFlags struct {
	Filter     string `short:"f" help:"Look only at packets that this expression wants, a subset of pcap-filter(7) that looks through VLAN tags (docs/filter.md)." placeholder:"EXPRESSION"`
	FilterFile string `short:"F" help:"Look only at packets that the program in FILE wants, as 'tcpdump -ddd' prints it." placeholder:"FILE"`
}

// compile compiles the filter; nil if none is given.
func (f *filterFlags) compile() (*filter.Filter, error) {
	switch {
	case f.Filter == "" && f.FilterFile == "":
		return nil, nil
	case f.Filter != "" && f.FilterFile != "":
		return nil, usage(errors.New("both -f and -F are given: choose one"))
	case f.Filter != "":
		wanted, err := filter.Parse(f.Filter)
		if err != nil {
			return nil, usage(err)
		}
		return wanted, nil
	}
	file, err := os.Open(f.FilterFile)
	if err != nil {
		return nil, fmt.Errorf("opening the filter program: %w", err)
	}
	defer func() { _ = file.Close() }()
	program, err := filter.ReadProgram(file)
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", f.FilterFile, err))
	}
	wanted, err := filter.FromProgram(f.FilterFile, program)
	if err != nil {
		return nil, usage(err)
	}
	return wanted, nil
}

// captures is the input, without the packets that the filter does not want.
type captures struct {
	*pcapfile.Reader
	filter   *filter.Filter // nil for all
	filtered atomic.Uint64
}

// Next reads packets that are wanted.
func (c *captures) Next(b *capture.Batch) error {
	for {
		if err := c.Reader.Next(b); err != nil || c.filter == nil {
			return err
		}
		removed, err := c.filter.Apply(b)
		c.filtered.Add(uint64(removed))
		if err != nil || len(b.Packets) > 0 {
			return err
		}
	}
}

// Stats counts what was read, with the packets that are not wanted.
func (c *captures) Stats() capture.Stats {
	st := c.Reader.Stats()
	st.Filtered = c.filtered.Load()
	return st
}
