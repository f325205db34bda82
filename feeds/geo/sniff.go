package geo

import (
	"errors"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/oschwald/maxminddb-golang/v2"
)

// Where databases of types geoip2 does not know keep what is wanted, the best first.
// "country" as a plain string may be a name or a code: only codes count.
var (
	countryPaths = []string{"country_code", "country.iso_code", "country", "registered_country.iso_code"}
	asnPaths     = []string{"autonomous_system_number", "asn", "traits.autonomous_system_number"}
	asNamePaths  = []string{"autonomous_system_organization", "as_name", "traits.autonomous_system_organization"}
)

// schema says where the records of a database keep what is wanted. A path is nil where
// they do not.
type schema struct {
	country, asn, asName []string
}

// sniffedDecoder learns from the first records where the wanted fields are.
func sniffedDecoder(tree *maxminddb.Reader) (decoder, Kind, error) {
	best := [3]int{len(countryPaths), len(asnPaths), len(asNamePaths)}
	err := sample(tree, func(res maxminddb.Result) bool {
		best[0] = firstHit(res, countryPaths[:best[0]], best[0], func(v any) bool { return asCountry(v) != "" })
		best[1] = firstHit(res, asnPaths[:best[1]], best[1], func(v any) bool { return asASN(v) != 0 })
		best[2] = firstHit(res, asNamePaths[:best[2]], best[2], func(v any) bool { return asName(v) != "" })
		return true
	})
	if err != nil {
		return nil, 0, err
	}
	s := schema{pathOf(countryPaths, best[0]), pathOf(asnPaths, best[1]), pathOf(asNamePaths, best[2])}
	var kind Kind
	if s.country != nil {
		kind |= Country
	}
	if s.asn != nil {
		kind |= AS
	}
	if kind == 0 {
		return nil, 0, errors.New("its records tell neither country nor AS: give a country or AS database")
	}
	return s.decode, kind, nil
}

// firstHit returns the index of the first path at which res has a value that is good,
// or else none.
func firstHit(res maxminddb.Result, paths []string, none int, good func(any) bool) int {
	for i := range paths {
		if v, err := valueAt(res, pathOf(paths, i)); err == nil && good(v) {
			return i
		}
	}
	return none
}

// pathOf returns paths[i] in parts, nil if there is none.
func pathOf(paths []string, i int) []string {
	if i >= len(paths) {
		return nil
	}
	return strings.Split(paths[i], ".")
}

// decode is the decoder of the schema.
func (s schema) decode(_ netip.Addr, res maxminddb.Result) (answer, error) {
	country, err := valueAt(res, s.country)
	asn, err2 := valueAt(res, s.asn)
	name, err3 := valueAt(res, s.asName)
	return answer{asCountry(country), asASN(asn), asName(name)}, errors.Join(err, err2, err3)
}

// valueAt returns the value at a path of a record, nil if it has none: records need not
// all have the same shape.
func valueAt(res maxminddb.Result, path []string) (v any, err error) {
	if path == nil {
		return nil, nil
	}
	if err := res.DecodePath(&v, path[0]); err != nil {
		return nil, err
	}
	for _, field := range path[1:] {
		fields, _ := v.(map[string]any)
		v = fields[field]
	}
	return v, nil
}

// asCountry returns the country a value names by its code, "" if it does not.
func asCountry(v any) string {
	s, _ := v.(string)
	return intern(strings.ToUpper(s))
}

// asASN returns the AS number in a value: a number, or a text like "AS15169" or "15169".
func asASN(v any) uint32 {
	switch v := v.(type) {
	case uint16:
		return uint32(v)
	case uint32:
		return v
	case uint64:
		return asNumber(v)
	case int32:
		return uint32(max(v, 0))
	case int:
		return asNumber(uint64(max(v, 0)))
	case string:
		if len(v) > 2 && strings.EqualFold(v[:2], "AS") {
			v = v[2:]
		}
		n, err := strconv.ParseUint(v, 10, 32)
		if err == nil {
			return uint32(n)
		}
	}
	return 0
}

// asNumber returns n, or 0 if it is larger than AS numbers get (RFC 6793).
func asNumber[T uint | uint64](n T) uint32 {
	if uint64(n) > math.MaxUint32 {
		return 0
	}
	return uint32(n)
}

func asName(v any) string {
	s, _ := v.(string)
	return cleanName(s)
}

// cleanName returns the name of an AS without what cannot be printed, and not too long.
func cleanName(s string) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	for len(s) > maxName {
		_, last := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-last]
	}
	return s
}
