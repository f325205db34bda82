package geo

import (
	"errors"
	"fmt"
)

// maxFiles bounds the databases stacked.
const maxFiles = 16

// Config says what to look addresses up in.
type Config struct {
	// Files are databases in MaxMind DB format, by path: those geoip2 knows (Country,
	// City, Enterprise, ASN, ISP; of MaxMind or DB-IP), and others whose records hold
	// a country code or an AS number. They are read into memory. Where several know
	// the country or the AS of an address, the later one is believed.
	Files []string
	// NoEmbedded leaves out the embedded tables, which are asked where no file knows.
	NoEmbedded bool
}

// Validate returns everything that is wrong with c.
func (c *Config) Validate() error {
	var errs []error
	seen := map[string]bool{}
	for i, f := range c.Files {
		switch {
		case f == "":
			errs = append(errs, fmt.Errorf("country or AS database %d has no file name: give one or remove it", i+1))
		case seen[f]:
			errs = append(errs, fmt.Errorf("country or AS database %s is given twice: remove one", f))
		}
		seen[f] = true
	}
	if len(c.Files) > maxFiles {
		errs = append(errs, fmt.Errorf("%d country and AS databases are too many: give at most %d", len(c.Files), maxFiles))
	}
	if c.NoEmbedded && len(c.Files) == 0 {
		errs = append(errs, errors.New("without the embedded tables there is nothing to look addresses up in: give a database"))
	}
	return errors.Join(errs...)
}
