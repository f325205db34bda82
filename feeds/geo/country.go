package geo

import (
	"fmt"
	"strings"
)

// countries are the codes of ISO 3166-1 alpha-2 in order, and XK (Kosovo), which is
// user-assigned there but used by every database.
const countries = "" +
	"ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQ" +
	"BRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDM" +
	"DODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGS" +
	"GTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKN" +
	"KPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQ" +
	"MRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPM" +
	"PNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSV" +
	"SXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVI" +
	"VNVUWFWSXKYEYTZAZMZW"

// DefaultCountries returns the registry countries watched where nothing else is asked
// for: RU BY CN IR KP.
func DefaultCountries() []string {
	return []string{"RU", "BY", "CN", "IR", "KP"}
}

// CountryValue returns a country code as the Value of a Row. It is false for what is no
// code of ISO 3166-1 alpha-2 nor XK.
func CountryValue(code string) (value uint32, ok bool) {
	if intern(code) == "" {
		return 0, false
	}
	return uint32(code[0])<<8 | uint32(code[1]), true
}

// countryOf returns the country of the value of a Row, "" if it is none.
func countryOf(value uint32) string {
	if value > 0xffff {
		return ""
	}
	return findCountry(byte(value>>8), byte(value))
}

// intern returns the constant string equal to a country code, "" if it is none.
func intern(code string) string {
	if len(code) != 2 {
		return ""
	}
	return findCountry(code[0], code[1])
}

// findCountry searches the codes, which stand in order.
func findCountry(a, b byte) string {
	lo, hi := 0, len(countries)/2
	for lo < hi {
		mid := (lo + hi) / 2
		code := countries[2*mid : 2*mid+2]
		switch {
		case code[0] == a && code[1] == b:
			return code
		case code[0] < a || code[0] == a && code[1] < b:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return ""
}

// parseCountry reads a code a user wrote.
func parseCountry(s string) (string, error) {
	code := intern(strings.ToUpper(strings.TrimSpace(s)))
	if code == "" {
		return "", fmt.Errorf("unknown country code %q: write two letters of ISO 3166-1, like FI", s)
	}
	return code, nil
}
