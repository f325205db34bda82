package format

import (
	"strconv"

	"telltale/alert"
)

// pairs appends key=value pairs, as CEF and LEEF have them. Empty values are left out.
type pairs struct {
	b         []byte
	separator byte
	escape    func(dst []byte, s string) []byte
	limits    map[string]int // bytes of a value by key, where there is a limit
	some      bool
}

func (p *pairs) text(key, value string) {
	if value == "" {
		return
	}
	if p.some {
		p.b = append(p.b, p.separator)
	}
	p.some = true
	p.b = append(p.b, key...)
	p.b = append(p.b, '=')
	if n := p.limits[key]; n > 0 {
		value = shorten(asciiText(value), n)
	}
	p.b = p.escape(p.b, value)
}

func (p *pairs) number(key string, v uint64) { p.text(key, strconv.FormatUint(v, 10)) }

func (p *pairs) signed(key string, v int64) { p.text(key, strconv.FormatInt(v, 10)) }

// labelled appends a custom field and, as it must be, what it holds.
func (p *pairs) labelled(key, label, value string) {
	if value != "" {
		p.text(key+"Label", label)
		p.text(key, value)
	}
}

// asciiText returns s with every byte that is not printable ASCII as \DDD. Names come
// that way already; here no text can break a line or act on a terminal.
func asciiText(s string) string {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return escapeText(s, i)
		}
	}
	return s
}

func escapeText(s string, from int) string {
	b := append(make([]byte, 0, len(s)+16), s[:from]...)
	for i := from; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' {
			b = append(b, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}

// tenths is a severity of 0 to 10.
func tenths(s alert.Severity) uint64 {
	switch s {
	case alert.High:
		return 8
	case alert.Medium:
		return 5
	case alert.Low:
		return 3
	}
	return 1
}

// program is the version of the program, for forms that must have one.
func program(a *alert.Alert) string {
	if a.Program == "" {
		return "unknown"
	}
	return a.Program
}
