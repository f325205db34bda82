// Mkgeo builds the embedded tables of package geo: the country table from a country
// database in MaxMind DB format, the AS table from lists of ranges (CSV). It reads back
// what it has written and compares every range.
//
//	go run ./feeds/geo/mkgeo -country dbip-country.mmdb -country-release R1 \
//		-asn4 asn-ipv4.csv -asn6 asn-ipv6.csv -asn-release R2 -asn-date 2026-06-17 \
//		-out feeds/geo/data
//
// Both releases are what stands in SOURCE.txt: package and version.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"telltale/feeds/geo"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mkgeo:", err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	country, countryRelease string
	asn4, asn6, asnRelease  string
	asnDate                 time.Time
	out                     string
}

func parseOptions(args []string) (options, error) {
	var o options
	var date string
	fs := flag.NewFlagSet("mkgeo", flag.ContinueOnError)
	fs.StringVar(&o.country, "country", "", "country database, `file` in MaxMind DB format")
	fs.StringVar(&o.countryRelease, "country-release", "", "package and version the country database is from")
	fs.StringVar(&o.asn4, "asn4", "", "IPv4 ranges and AS numbers, CSV `file`")
	fs.StringVar(&o.asn6, "asn6", "", "IPv6 ranges and AS numbers, CSV `file`")
	fs.StringVar(&o.asnRelease, "asn-release", "", "package and version the AS lists are from")
	fs.StringVar(&date, "asn-date", "", "date of the AS lists, like 2026-06-17")
	fs.StringVar(&o.out, "out", "", "`folder` to write to")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	var errs []error
	fs.VisitAll(func(f *flag.Flag) {
		if f.Value.String() == "" {
			errs = append(errs, fmt.Errorf("-%s is missing: %s", f.Name, f.Usage))
		}
	})
	if fs.NArg() > 0 {
		errs = append(errs, fmt.Errorf("%q is no option: see -help", fs.Arg(0)))
	}
	if date != "" {
		var err error
		if o.asnDate, err = time.Parse(time.DateOnly, date); err != nil {
			errs = append(errs, fmt.Errorf("-asn-date %q: write it like 2026-06-17", date))
		}
	}
	return o, errors.Join(errs...)
}

func run(args []string, log io.Writer) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	countries, built, err := readCountries(o.country)
	if err != nil {
		return err
	}
	systems, err := readSystems(o.asn4, o.asn6)
	if err != nil {
		return err
	}
	c := geo.Header{Kind: geo.Country, Name: countryName, Built: built.Unix()}
	a := geo.Header{Kind: geo.AS, Name: asName, Built: o.asnDate.Unix()}
	if err := build(log, filepath.Join(o.out, "country.ranges"), c, countries, nil); err != nil {
		return err
	}
	if err := build(log, filepath.Join(o.out, "as.ranges"), a, systems.rows, systems.chosenNames()); err != nil {
		return err
	}
	text := sourceText(built, o.countryRelease, o.asnDate, o.asnRelease)
	return writeFile(filepath.Join(o.out, "SOURCE.txt"), []byte(text))
}

// build packs rows, writes them, and makes sure that what is read back is the same.
func build(log io.Writer, name string, h geo.Header, rows []geo.Row, names map[uint32]string) error {
	rows, cut := tidy(rows)
	data, err := geo.EncodeTable(h, rows, names)
	if err != nil {
		return err
	}
	if err := writeFile(name, data); err != nil {
		return err
	}
	if err := verify(name, h, rows); err != nil {
		return fmt.Errorf("verifying %s: %w", name, err)
	}
	_, err = fmt.Fprintf(log, "%s: %s of %s, %d ranges (%d cut where they overlapped), %d names, %d bytes\n",
		name, h.Name, time.Unix(h.Built, 0).UTC().Format(time.DateOnly), len(rows), cut, len(names), len(data))
	return err
}

// verify reads a table back and compares its header and every range.
func verify(name string, h geo.Header, rows []geo.Row) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	t, err := geo.ReadTable(data)
	if err != nil {
		return err
	}
	if t.Header != h {
		return fmt.Errorf("the header is %+v, not %+v", t.Header, h)
	}
	got, err := t.Rows()
	if err != nil {
		return err
	}
	i := 0
	for r := range got {
		if i == len(rows) || r != rows[i] {
			return fmt.Errorf("range %d is %v", i, r)
		}
		i++
	}
	if i != len(rows) {
		return fmt.Errorf("%d ranges are there, not %d", i, len(rows))
	}
	return nil
}

// writeFile replaces a file as a whole.
func writeFile(name string, data []byte) error {
	if err := os.WriteFile(name+".new", data, 0o644); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}
