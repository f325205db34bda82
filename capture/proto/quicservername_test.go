package proto

import (
	"strings"
	"testing"
)

func TestQUICFindServerName(t *testing.T) {
	const good = "\x00\x00\x00\x0e\x00\x0c\x00\x00\x09a.example"
	tests := []struct{ name, b, want string }{
		{"alone", good, "a.example"},
		{"behind zeros", strings.Repeat("\x00", 9) + good, "a.example"},
		{"behind a false start", good[:len(good)-1] + "\x00" + good, "a.example"},
		{"before more", good + "\x00\x10\x00", "a.example"},
		{"cut", good[:len(good)-1], ""},
		{"another extension", strings.Replace(good, "\x00\x00", "\x00\x10", 1), ""},
		{"byte behind the list", "\x00\x00\x00\x0f\x00\x0c\x00\x00\x09a.example.", ""},
		{"byte behind the name", "\x00\x00\x00\x0f\x00\x0d\x00\x00\x09a.example.", ""},
		{"another name type", strings.Replace(good, "\x00\x00\x09", "\x01\x00\x09", 1), ""},
		{"byte that no host name has", strings.Replace(good, ".", "/", 1), ""},
		{"empty name", "\x00\x00\x00\x05\x00\x03\x00\x00\x00", ""},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		if got := string(quicFindServerName([]byte(tt.b))); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	long := strings.Repeat("a", 254)
	if quicIsHostName([]byte(long)) || !quicIsHostName([]byte(long[1:])) {
		t.Error("the limit of 253 bytes is not held")
	}
}
