// Command measure tells what live capture costs. It makes a network namespace with a veth
// pair whose receiving side runs in a kernel thread of its own, sends traffic, and has
// readers take turns at the other end. It counts the processor time of that thread and of
// the reader only, less what the reader uses without traffic: neither the sender nor other
// load on the machine is in it. It needs root, iproute2, ethtool and tcpdump, and is run
// in the root of the tree:
//
//	go run ./testdata/measure cost [CAPTURE...]   # time for each packet
//	go run ./testdata/measure rate                # the highest rate without loss
//
// The traffic is made: bulk, in which one packet of 64 matters, and mixed, one of 4; with
// captures as arguments cost sends those too, again and again with other addresses.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// options are the flags of the command line.
type options struct {
	packets, rounds, ring int
	only                  string
}

func main() {
	var o options
	flag.IntVar(&o.packets, "packets", 2_000_000, "packets of each turn")
	flag.IntVar(&o.rounds, "rounds", 3, "turns of each reader")
	flag.IntVar(&o.ring, "ring", 4, "MiB of ring for every reader")
	flag.StringVar(&o.only, "only", "", "only readers whose name has this in it")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: measure [flags] cost [CAPTURE...] | rate")
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := run(o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

func run(o options, args []string) error {
	if len(args) == 0 {
		return errors.New("say what: cost or rate (-h shows more)")
	}
	switch what := args[0]; what {
	case "cost", "rate":
		return figure(o, what, args[1:])
	case "read": // used by measure itself, in the namespace
		return bare(args[1], o.ring, len(args) > 2)
	case "drop":
		return dropAll(args[1])
	}
	return fmt.Errorf("%q is no figure: say cost or rate", args[0])
}

// figure makes what is needed and prints one figure.
func figure(o options, what string, captures []string) error {
	dir, err := os.MkdirTemp("", "telltale-measure")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := build(dir); err != nil {
		return err
	}
	l, err := newLane()
	if err != nil {
		return err
	}
	defer l.remove()
	all, err := readers(dir, o)
	if err != nil {
		return err
	}
	if what == "rate" {
		return rates(l, all, o)
	}
	return costs(l, all, o, captures)
}

// build builds the programs that are measured.
func build(dir string) error {
	for _, b := range [][]string{
		{".", "./cmd/telltale", "telltale"},
		{"testdata/measure/gopacket", ".", "gopacket"},
	} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(dir, b[2]), b[1])
		cmd.Dir = b[0]
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s, which is to be done in the root of the tree: %w: %s", b[2], err, out)
		}
	}
	return nil
}
