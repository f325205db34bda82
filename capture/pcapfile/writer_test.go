package pcapfile

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"telltale/capture"
)

func TestWriterRoundTrip(t *testing.T) {
	for _, nano := range []bool{false, true} {
		var buf bytes.Buffer
		w, err := NewWriter(&buf, capture.LinkSLL2, nano)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []capture.Packet{
			{Data: []byte("abc"), Time: 1_123_456_789, Length: 60, Link: capture.LinkSLL2},
			{Time: 1<<32*sec - 1, Link: capture.LinkSLL2},
			{Data: []byte("no length"), Link: capture.LinkSLL2},
		} {
			if err := w.Write(&p); err != nil {
				t.Fatal(err)
			}
		}
		want := []got{
			{"abc", 1_123_456_000, 1, 60, capture.LinkSLL2},
			{"", 1<<32*sec - 1000, 2, 0, capture.LinkSLL2},
			{"no length", 0, 3, 9, capture.LinkSLL2},
		}
		if nano {
			want[0].Time, want[1].Time = 1_123_456_789, 1<<32*sec-1
		}
		peers, err := peer(buf.Bytes())
		if len(peers) != 3 || !errors.Is(err, io.EOF) {
			t.Errorf("nano %v: pcapgo reads %d packets, then %v", nano, len(peers), err)
		}
		packets, _ := readAll(t, Config{Paths: []string{"-"}, Stdin: &buf})
		if d := cmp.Diff(want, packets); d != "" {
			t.Errorf("nano %v (-want +got):\n%s", nano, d)
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	if _, err := NewWriter(io.Discard, 1<<16, false); err == nil {
		t.Error("a link type of 17 bits is accepted")
	}
	var buf bytes.Buffer
	w, err := NewWriter(&buf, 1, false)
	if err != nil {
		t.Fatal(err)
	}
	before := buf.Len()
	for reason, p := range map[string]capture.Packet{
		"link type": {Link: 101},
		"exceed":    {Link: 1, Data: make([]byte, DefaultMaxPacket+1)},
		"time, -1":  {Link: 1, Time: -sec},
		"time, 429": {Link: 1, Time: 1 << 32 * sec},
	} {
		if err := w.Write(&p); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("error %v, want one about %q", err, reason)
		}
	}
	if buf.Len() != before {
		t.Errorf("%d bytes of refused packets were written", buf.Len()-before)
	}
}

// full fails after n writes.
type full struct{ n int }

var errFull = errors.New("disk full")

func (f *full) Write(b []byte) (int, error) {
	if f.n--; f.n < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriterTellsOfErrors(t *testing.T) {
	for n := range 3 {
		w, err := NewWriter(&full{n}, 1, false)
		if err == nil {
			err = w.Write(&capture.Packet{Data: []byte("x"), Link: 1})
		}
		if !errors.Is(err, errFull) {
			t.Errorf("after %d writes: error %v, want %v", n, err, errFull)
		}
	}
}
