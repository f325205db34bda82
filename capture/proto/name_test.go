package proto

import "testing"

func TestAppendHost(t *testing.T) {
	tests := []struct{ name, raw, want string }{
		{"empty", "", ""},
		{"upper case", "WWW.Kaspersky.COM", "www.kaspersky.com"},
		{"one trailing dot", "example.org.", "example.org"},
		{"two trailing dots", "example.org..", "example.org."},
		{"backslash", `a\b`, `a\092b`},
		{"control, space, delete", "a\x00 \x7f", `a\000\032\127`},
		{"UTF-8", "bücher.de", `b\195\188cher.de`},
		{"punctuation stays", "_x-1~!@*", "_x-1~!@*"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(AppendHost([]byte("> "), []byte(tt.raw))); got != "> "+tt.want {
				t.Errorf("AppendHost(%q) = %q, want %q", tt.raw, got[2:], tt.want)
			}
		})
	}
}
