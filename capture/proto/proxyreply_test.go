package proto

import "testing"

func TestSOCKSReply(t *testing.T) {
	address := "\x01\x00\x00\x00\x00\x00\x00"
	for _, tt := range []struct {
		name string
		in   string
		want ProxyReply
	}{
		{"version 4 granted", "\x00\x5a\x00\x50\x0a\x00\x00\x01", Granted},
		{"version 4 refused", "\x00\x5b\x00\x50\x0a\x00\x00\x01", Refused},
		{"version 4, no identd", "\x00\x5c\x00\x00\x00\x00\x00\x00", Refused},
		{"version 4 cut", "\x00\x5b\x00\x50", NoReply},
		{"method chosen", "\x05\x02", Asking},
		{"no method", "\x05\xff", Refused},
		{"user accepted", "\x01\x00", Asking},
		{"user refused", "\x01\x01", Refused},
		{"granted", "\x05\x00\x00" + address, Granted},
		{"not allowed", "\x05\x02\x00" + address, Refused},
		{"host unreachable", "\x05\x04\x00" + address, Refused},
		{"method and reply at once", "\x05\x00\x05\x02\x00" + address, Refused},
		{"method and grant at once", "\x05\x00\x05\x00\x00" + address, Granted},
		{"method and user at once", "\x05\x02\x01\x00", Asking},
		{"method and wrong user at once", "\x05\x02\x01\x01", Refused},
		{"method, user and reply at once", "\x05\x02\x01\x00\x05\x05\x00" + address, Refused},
		{"banner of a server behind", "220 mx.example\r\n", NoReply},
		{"TLS", "\x16\x03\x03\x00\x7a", NoReply},
		{"one byte", "\x05", NoReply},
	} {
		if got := SOCKSReply([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func FuzzSOCKSReply(f *testing.F) {
	for _, s := range []string{"\x00\x5a\x00\x50\x0a\x00\x00\x01", "\x05\x02\x01\x00\x05\x05\x00\x01", "\x05\x00\x05\x02\x00", "\x01\x01", "\x05\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		if r := SOCKSReply(b); r > Refused {
			t.Errorf("reply %d", r)
		}
	})
}
