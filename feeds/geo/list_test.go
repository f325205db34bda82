package geo

import (
	"errors"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestReadList(t *testing.T) {
	got, err := ReadList(strings.NewReader("\ufeff# head\r\n\r\n192.0.2.0/24 ; SBL1\r\n"+
		"  198.51.100.7\t# one\n2a02:6b8::/32\n2001:db8::1%eth0\n::ffff:203.0.113.0/120\n10.1.2.3/8\n::ffff:9.9.9.9\n1.1.1.0/24"), "list.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := List{Name: "list.txt"}
	for _, p := range []string{"192.0.2.0/24", "198.51.100.7/32", "2a02:6b8::/32", "2001:db8::1/128", "203.0.113.0/24", "10.0.0.0/8", "9.9.9.9/32", "1.1.1.0/24"} {
		want.Prefixes = append(want.Prefixes, netip.MustParsePrefix(p))
	}
	if diff := cmp.Diff(want, got, prefixCmp); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
}

func TestReadListTellsOfEveryBadLine(t *testing.T) {
	_, err := ReadList(strings.NewReader("1.2.3.4\n1.2.3\n\n1.2.3.0/33\n0.0.0.0/0\nexample.com\n"), "list.txt")
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`list.txt line 2: "1.2.3" is neither`, `list.txt line 4: "1.2.3.0/33" is neither`,
		"list.txt line 5: 0.0.0.0/0 is every address", `list.txt line 6: "example.com" is neither`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
	if n := strings.Count(err.Error(), "\n") + 1; n != 4 {
		t.Errorf("%d errors, want 4:\n%v", n, err)
	}
}

func TestReadListIsBounded(t *testing.T) {
	var many strings.Builder
	for i := range maxListed + 1 {
		many.WriteString(addr4(uint32(i)).String() + "\n")
	}
	for name, c := range map[string]struct {
		text, want string
	}{
		"bad lines": {strings.Repeat("x\n", 1000), "after " + strconv.Itoa(maxListErrors) + " bad lines"},
		"long line": {"1.2.3.4\n" + strings.Repeat("1", maxListLine+1), "line 2: longer than"},
		"networks":  {many.String(), "more than"},
		"nothing":   {"# nothing\n", "no network in it"},
	} {
		_, err := ReadList(strings.NewReader(c.text), "l")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %.200v, want %q", name, err, c.want)
		}
		if err != nil && strings.Count(err.Error(), "\n") > maxListErrors {
			t.Errorf("%s: %d lines of errors", name, strings.Count(err.Error(), "\n"))
		}
	}
	broken := errors.New("disk gone")
	if _, err := ReadList(io.MultiReader(strings.NewReader("1.2.3.4\n"), iotest.ErrReader(broken)), "l"); !errors.Is(err, broken) {
		t.Errorf("unreadable list: error %v", err)
	}
}

// FuzzCIDRList reads hostile lists. What is read can be watched, and read again as written.
func FuzzCIDRList(f *testing.F) {
	f.Add([]byte("192.0.2.0/24\n# c\n2a02:6b8::/32 ; x\n::ffff:1.2.3.0/120\nfe80::1%eth0\n"))
	f.Add([]byte("\xef\xbb\xbf1.2.3.4\r\n0.0.0.0/0"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := ReadList(strings.NewReader(string(data)), "l")
		if err != nil {
			return
		}
		var lines strings.Builder
		for _, p := range l.Prefixes {
			lines.WriteString(p.String() + "\n")
		}
		again, err := ReadList(strings.NewReader(lines.String()), "l")
		if diff := cmp.Diff(l, again, prefixCmp); err != nil || diff != "" {
			t.Errorf("read again: %v (-want +got):\n%s", err, diff)
		}
		w, err := NewWatch(WatchConfig{Lists: []List{l}})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range l.Prefixes {
			if why, ok := w.Foreign(p.Addr(), &Result{}); !ok || !why.Prefix.Contains(p.Addr()) {
				t.Errorf("%s is listed, but Foreign says %v %v", p, why, ok)
			}
		}
	})
}
