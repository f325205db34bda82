package geo

import (
	"errors"
	"fmt"
	"net/netip"
)

// DB looks up country and AS of addresses. It may be used by several goroutines at once.
type DB struct {
	country, as *Table // embedded, nil if left out
	files       []*file
}

// Open reads the databases conf names. It tells of every one that cannot be read.
func Open(conf Config) (*DB, error) {
	if err := conf.Validate(); err != nil {
		return nil, err
	}
	d := &DB{}
	var errs []error
	if !conf.NoEmbedded {
		errs = append(errs, d.embedded())
	}
	for _, name := range conf.Files {
		f, err := openFile(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("opening the country or AS database %s: %w", name, err))
			continue
		}
		d.files = append(d.files, f)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *DB) embedded() (err error) {
	if d.country, err = ReadTable(countryData); err != nil {
		return err
	}
	d.as, err = ReadTable(asData)
	return err
}

// Load unpacks the embedded tables now, not at the first look-up, and tells whether
// they are sound.
func (d *DB) Load() error {
	if d.country == nil {
		return nil
	}
	return errors.Join(d.country.Load(), d.as.Load())
}

// Sources lists what the DB looks into: the embedded tables, then the files in order.
func (d *DB) Sources() []Source {
	var all []Source
	if d.country != nil {
		all = append(all, d.country.source(), d.as.source())
	}
	for _, f := range d.files {
		s := f.source
		s.Unreadable = f.unreadable.Load()
		all = append(all, s)
	}
	return all
}

func (t *Table) source() Source {
	return Source{Name: t.Name, Kind: t.Kind, Built: nanoseconds(uint64(t.Built))}
}

// Lookup sets *r to what is known of a. Special space comes first and ends it. An IPv4
// address carried in an IPv6 address is looked up in place of that.
func (d *DB) Lookup(a netip.Addr, r *Result) {
	*r = Result{}
	if !a.IsValid() {
		return
	}
	a, r.Via = unwrap(a)
	if r.Special, r.Network = specialOf(a); r.Special != "" {
		return
	}
	prefix := 0
	for i := len(d.files) - 1; i >= 0; i-- {
		f := d.files[i]
		if r.lacks(f.source.Kind) {
			prefix = max(prefix, f.fill(a, r))
		}
	}
	if d.country != nil {
		prefix = max(prefix, d.fillEmbedded(a, r))
	}
	r.Network, _ = a.Prefix(prefix)
}

// fillEmbedded adds what the files do not know. It returns the length of the prefix for
// which that holds.
func (d *DB) fillEmbedded(a netip.Addr, r *Result) (prefix int) {
	if r.lacks(AS) {
		var value uint32
		if value, r.ASName, prefix = d.as.find(a); value != 0 {
			r.ASN, r.ASNSource = value, d.as.Name
			r.date(AS, nanoseconds(uint64(d.as.Built)))
		}
	}
	if r.lacks(Country) {
		_, code, bits := d.country.find(a)
		prefix = max(prefix, bits)
		if code != "" {
			r.Country, r.CountrySource = code, d.country.Name
			r.date(Country, nanoseconds(uint64(d.country.Built)))
		}
	}
	return prefix
}

// lacks reports whether r does not yet have an answer of one of the kinds.
func (r *Result) lacks(k Kind) bool {
	return k&Country != 0 && r.Country == "" || k&AS != 0 && r.ASN == 0
}

// date notes the date of the source of an answer: the country's counts before the AS's.
func (r *Result) date(k Kind, built int64) {
	if k&Country != 0 || r.Country == "" {
		r.Built = built
	}
}
