package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"

	"telltale/feeds/geo"
)

// readCountries reads a database whose records are {country_code}.
func readCountries(name string) (rows []geo.Row, built time.Time, err error) {
	db, err := maxminddb.Open(name)
	if err != nil {
		return nil, built, fmt.Errorf("opening %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for res := range db.Networks() {
		var code string
		if err := res.DecodePath(&code, "country_code"); err != nil {
			return nil, built, fmt.Errorf("reading %s: %w", name, err)
		}
		value, ok := geo.CountryValue(code)
		if !ok {
			return nil, built, fmt.Errorf("reading %s: %s has the country %q, which is not in ISO 3166-1", name, res.Prefix(), code)
		}
		rows = append(rows, geo.Row{First: res.Prefix().Addr(), Last: last(res.Prefix()), Value: value})
	}
	if len(rows) == 0 {
		return nil, built, fmt.Errorf("reading %s: no network in it", name)
	}
	return rows, db.Metadata.BuildTime().UTC(), nil
}
