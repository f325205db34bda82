package geo

import "testing"

func TestCountryCodes(t *testing.T) {
	if n := len(countries) / 2; n != 250 {
		t.Errorf("%d codes, want the 249 of ISO 3166-1 and XK", n)
	}
	for i := 0; i < len(countries); i += 2 {
		code := countries[i : i+2]
		if i > 0 && countries[i-2:i] >= code {
			t.Errorf("%s is out of order", code)
		}
		value, ok := CountryValue(code)
		if !ok || countryOf(value) != code {
			t.Errorf("CountryValue(%s) = %d, %v, which is %q", code, value, ok, countryOf(value))
		}
	}
	for _, code := range []string{"", "R", "ru", "UK", "EU", "AP", "ZZ", "RUS", "\xff\xff"} {
		if _, ok := CountryValue(code); ok {
			t.Errorf("CountryValue(%q): accepted", code)
		}
	}
	if got := countryOf(0x125255); got != "" {
		t.Errorf("countryOf of too large a value = %q", got)
	}
}

func TestParseCountry(t *testing.T) {
	for in, want := range map[string]string{"RU": "RU", " ru ": "RU", "xk": "XK", "uk": "", "": ""} {
		got, err := parseCountry(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("parseCountry(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
}
