package geo

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/oschwald/geoip2-golang/v2"
	"github.com/oschwald/maxminddb-golang/v2"
)

// decoder decodes the record found at an address.
type decoder func(a netip.Addr, res maxminddb.Result) (answer, error)

// decoderFor finds out how to read the records of a database: by its type if geoip2
// knows that and the records bear it out, else by what the records look like.
func decoderFor(tree *maxminddb.Reader, data []byte) (decoder, Kind, error) {
	known, err := geoip2.OpenBytes(data)
	var unknown geoip2.UnknownDatabaseTypeError
	if err != nil && !errors.As(err, &unknown) {
		return nil, 0, damaged(err)
	}
	if err == nil {
		decode, kind := typedDecoder(known)
		if kind == 0 {
			return nil, 0, fmt.Errorf("a database of type %q tells neither country nor AS: "+
				"give one of Country, City, Enterprise, ASN or ISP", tree.Metadata.DatabaseType)
		}
		if ok, err := bearsOut(tree, decode); ok || err != nil {
			return decode, kind, err
		}
	}
	return sniffedDecoder(tree)
}

// bearsOut reports whether a decoder gets an answer out of one of the first networks.
func bearsOut(tree *maxminddb.Reader, decode decoder) (ok bool, err error) {
	err = sample(tree, func(res maxminddb.Result) bool {
		ans, err := decode(res.Prefix().Addr(), res)
		ok = err == nil && ans != answer{}
		return !ok
	})
	return ok, err
}

// Bounds on how much of a database is looked at to learn what it holds.
const (
	sampledNetworks = 1 << 16
	sampledRecords  = 1024
)

// sample calls look with the first networks that have a record, until that returns false.
func sample(tree *maxminddb.Reader, look func(maxminddb.Result) bool) error {
	networks, found := 0, 0
	for res := range tree.Networks(maxminddb.IncludeNetworksWithoutData()) {
		if err := res.Err(); err != nil {
			return damaged(err)
		}
		if res.Found() {
			if found++; !look(res) {
				return nil
			}
		}
		if networks++; networks == sampledNetworks || found == sampledRecords {
			return nil
		}
	}
	return nil
}

// typedDecoder returns the decoder of a type geoip2 knows, and nil if that type tells
// neither country nor AS.
func typedDecoder(db *geoip2.Reader) (decoder, Kind) {
	probe := netip.IPv4Unspecified()
	if _, err := db.Enterprise(probe); allowed(err) {
		return byEnterprise(db), Country | AS
	}
	if _, err := db.Country(probe); allowed(err) {
		return byCountry(db), Country
	}
	if _, err := db.ISP(probe); allowed(err) {
		return byISP(db), AS
	}
	if _, err := db.ASN(probe); allowed(err) {
		return byASN(db), AS
	}
	return nil, 0
}

// allowed reports whether an error of a look-up is not that the type has no such data.
func allowed(err error) bool {
	var invalid geoip2.InvalidMethodError
	return !errors.As(err, &invalid)
}

func byEnterprise(db *geoip2.Reader) decoder {
	return func(a netip.Addr, _ maxminddb.Result) (answer, error) {
		rec, err := db.Enterprise(a)
		if err != nil {
			return answer{}, err
		}
		return answer{
			country: firstCountry(rec.Country.ISOCode, rec.RegisteredCountry.ISOCode),
			asn:     asNumber(rec.Traits.AutonomousSystemNumber),
			asName:  cleanName(rec.Traits.AutonomousSystemOrganization),
		}, nil
	}
}

func byCountry(db *geoip2.Reader) decoder {
	return func(a netip.Addr, _ maxminddb.Result) (answer, error) {
		rec, err := db.Country(a)
		if err != nil {
			return answer{}, err
		}
		return answer{country: firstCountry(rec.Country.ISOCode, rec.RegisteredCountry.ISOCode)}, nil
	}
}

func byISP(db *geoip2.Reader) decoder {
	return func(a netip.Addr, _ maxminddb.Result) (answer, error) {
		rec, err := db.ISP(a)
		if err != nil {
			return answer{}, err
		}
		return answer{
			asn:    asNumber(rec.AutonomousSystemNumber),
			asName: cleanName(rec.AutonomousSystemOrganization),
		}, nil
	}
}

func byASN(db *geoip2.Reader) decoder {
	return func(a netip.Addr, _ maxminddb.Result) (answer, error) {
		rec, err := db.ASN(a)
		if err != nil {
			return answer{}, err
		}
		return answer{
			asn:    asNumber(rec.AutonomousSystemNumber),
			asName: cleanName(rec.AutonomousSystemOrganization),
		}, nil
	}
}

// firstCountry returns the first that is a country code: where an address is thought to
// be, or else where its block is registered.
func firstCountry(codes ...string) string {
	for _, c := range codes {
		if code := intern(c); code != "" {
			return code
		}
	}
	return ""
}
