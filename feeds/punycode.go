package feeds

import "bytes"

// maxLabel is the longest label in bytes (RFC 1035 §2.3.4), so also in characters.
const maxLabel = 63

// Parameters of Punycode (RFC 3492 §5).
const (
	punyBase    = 36
	punyTMin    = 1
	punyTMax    = 26
	punySkew    = 38
	punyDamp    = 700
	punyBias    = 72
	punyInitial = 128
)

// punycode decodes a label without its "xn--" into buf (RFC 3492 §6.2). It is false for
// a label that is malformed or too long.
func punycode(s []byte, buf *[maxLabel]rune) ([]rune, bool) {
	if len(s) > maxLabel {
		return nil, false
	}
	out := buf[:0]
	if basic := bytes.LastIndexByte(s, '-'); basic > 0 {
		for _, c := range s[:basic] {
			out = append(out, rune(c))
		}
		s = s[basic+1:]
	}
	n, i, bias := punyInitial, 0, punyBias
	for len(s) > 0 {
		delta, used := punyDelta(s, bias)
		if used == 0 || len(out) == maxLabel {
			return nil, false
		}
		s = s[used:]
		size := len(out) + 1
		bias = punyAdapt(delta, size, i == 0)
		i += delta
		n += i / size
		i %= size
		if n > 0x10ffff {
			return nil, false
		}
		out = out[:size]
		copy(out[i+1:], out[i:size-1])
		out[i] = rune(n)
		i++
	}
	return out, true
}

// punyDelta reads one variable-length integer and returns how many bytes it took, 0 if
// it is malformed or above the range of what can follow.
func punyDelta(s []byte, bias int) (delta, used int) {
	weight := 1
	for used = 0; used < len(s); {
		d := punyDigit(s[used])
		used++
		if d < 0 {
			return 0, 0
		}
		delta += d * weight
		if delta > 0x10ffff*(maxLabel+1) {
			return 0, 0
		}
		t := min(max(used*punyBase-bias, punyTMin), punyTMax)
		if d < t {
			return delta, used
		}
		weight *= punyBase - t
	}
	return 0, 0
}

func punyDigit(c byte) int {
	switch {
	case c >= 'a' && c <= 'z':
		return int(c - 'a')
	case c >= '0' && c <= '9':
		return int(c-'0') + 26
	}
	return -1
}

// punyAdapt is the bias adaptation of RFC 3492 §6.1.
func punyAdapt(delta, size int, first bool) int {
	if first {
		delta /= punyDamp
	} else {
		delta /= 2
	}
	delta += delta / size
	k := 0
	for delta > (punyBase-punyTMin)*punyTMax/2 {
		delta /= punyBase - punyTMin
		k += punyBase
	}
	return k + (punyBase-punyTMin+1)*delta/(delta+punySkew)
}
