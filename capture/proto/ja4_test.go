package proto

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"telltale/capture"
)

// TestJA4Example is the worked example of the JA4 specification (technical_details/JA4.md).
func TestJA4Example(t *testing.T) {
	h := tlsHello{
		legacy:     0x0303,
		ciphers:    tlsHex(t, "1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f 0035"),
		versions:   tlsHex(t, "0304 0303"),
		alpn:       []byte("\x02h2"),
		signatures: tlsHex(t, "0403 0804 0401 0503 0805 0501 0806 0601"),
	}
	for _, kind := range []uint16{0x001b, 0, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015} {
		h.extensions = append(h.extensions, byte(kind>>8), byte(kind), 0, 0)
	}
	var got [36]byte
	ja4Write(&got, 't', &h, new(capture.Log))
	if want := "t13d1516h2_8daaf6152771_e5627efa2ab1"; string(got[:]) != want {
		t.Errorf("ja4 %s, want %s", got, want)
	}
}

// TestCipherDigest: order and GREASE do not count, the suites do.
func TestCipherDigest(t *testing.T) {
	a := tlsCipherDigest([]byte{0x13, 0x01, 0x13, 0x02, 0xc0, 0x2b})
	for _, same := range [][]byte{
		{0x13, 0x02, 0xc0, 0x2b, 0x13, 0x01}, {0x0a, 0x0a, 0x13, 0x01, 0x13, 0x02, 0xc0, 0x2b}, {0x13, 0x01, 0x13, 0x02, 0xc0, 0x2b, 0xff},
	} {
		if tlsCipherDigest(same) != a {
			t.Errorf("% x is told from its permutation", same)
		}
	}
	for _, other := range [][]byte{nil, {0x13, 0x01, 0x13, 0x02}, {0x13, 0x01, 0x13, 0x02, 0xc0, 0x2c}, {0x13, 0x01, 0x13, 0x01, 0x13, 0x02, 0xc0, 0x2b}} {
		if d := tlsCipherDigest(other); d == a || d == 0 {
			t.Errorf("% x: digest %x", other, d)
		}
	}
}

func TestJA4ALPN(t *testing.T) {
	for list, want := range map[string]string{
		"":                  "00",
		"\x00":              "00",
		"\x05h":             "00",
		"\x01h":             "hh",
		"\x02h2\x02h3":      "h2",
		"\x08http/1.1":      "h1",
		"\x02\x1a\x1b":      "1b",
		"\x01\xab":          "ab",
		"\x02h\xff":         "6f",
		"\x02\xff2":         "f2",
		"\x03A-Z":           "AZ",
		"\x02@[":            "4b",
		"\x03\x30\xab\x30":  "00",
		"\x04\x30\x31\x2fx": "0x",
	} {
		a, b := ja4ALPN([]byte(list))
		if got := string([]byte{a, b}); got != want {
			t.Errorf("ALPN list %q gives %q, want %q", list, got, want)
		}
	}
}

func TestJA4Version(t *testing.T) {
	for version, want := range map[uint16]string{
		0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x0002: "s2", 0x7f1c: "00",
	} {
		if got := ja4Version(version); got != want {
			t.Errorf("version %#x gives %q, want %q", version, got, want)
		}
	}
}

// ja4Plain computes the two hashes the obvious way.
func ja4Plain(ciphers, extensions, signatures []uint16) string {
	list := func(v []uint16) string {
		s := make([]string, len(v))
		for i, x := range v {
			s[i] = fmt.Sprintf("%04x", x)
		}
		return strings.Join(s, ",")
	}
	hash := func(s string) string {
		if s == "" {
			return "000000000000"
		}
		sum := sha256.Sum256([]byte(s))
		return hex.EncodeToString(sum[:6])
	}
	slices.Sort(ciphers)
	slices.Sort(extensions)
	text := list(extensions)
	if len(signatures) > 0 {
		text += "_" + list(signatures)
	}
	return hash(list(ciphers)) + "_" + hash(text)
}

// TestJA4Lists compares lists of all sizes, on the stack and beyond, with ja4Plain.
func TestJA4Lists(t *testing.T) {
	for _, n := range []int{0, 1, 2, ja4Stack - 1, ja4Stack, ja4Stack + 1, 500} {
		h := tlsHello{legacy: 0x0303, ciphers: []byte{0x1a, 0x1a}}
		var ciphers, extensions, signatures []uint16
		if n > 0 {
			h.extensions = append(h.extensions, 0x2a, 0x2a, 0, 0, 0, 16, 0, 0)
		}
		for i := range n {
			c, e, s := uint16(40000-7*i), uint16(30000+3*i), uint16(1000-i)
			ciphers, extensions, signatures = append(ciphers, c), append(extensions, e), append(signatures, s)
			h.ciphers = append(h.ciphers, byte(c>>8), byte(c))
			h.extensions = append(h.extensions, byte(e>>8), byte(e), 0, 1, 'x')
			h.signatures = append(h.signatures, byte(s>>8), byte(s))
		}
		var got [36]byte
		ja4Write(&got, 'q', &h, new(capture.Log))
		count := n
		if n > 0 {
			count++ // ALPN is counted though not hashed
		}
		want := fmt.Sprintf("q12i%02d%02d00_%s", min(n, 99), min(count, 99), ja4Plain(ciphers, extensions, signatures))
		if string(got[:]) != want {
			t.Errorf("%d items: ja4 %s, want %s", n, got, want)
		}
	}
}
