package pcapfile

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"telltale/capture"
)

// replayed reads data as a pipe that gives piece bytes at once.
func replayed(data []byte, piece int) ([]got, []*FileError) {
	r, err := Open(Config{Paths: []string{"-"}, Stdin: &drip{data: data, n: piece}, MaxPacket: minMaxPacket})
	if err != nil {
		return nil, nil
	}
	var out []got
	for {
		var b capture.Batch
		if r.Next(&b) != nil {
			return out, r.Errs()
		}
		for _, p := range b.Packets {
			out = append(out, got{string(p.Data), p.Time, p.Ordinal, p.Length, p.Link})
		}
	}
}

// checkReading holds for any input: however it is cut into reads the packets are the
// same, they are within their limits and there is at most one error.
func checkReading(t *testing.T, data []byte) {
	whole, errs := replayed(data, len(data)+1)
	if len(errs) > 1 {
		t.Fatalf("errors of one file: %v", errs)
	}
	for _, p := range whole {
		if len(p.Data) > minMaxPacket || int64(p.Length) < int64(len(p.Data)) || p.Time < 0 {
			t.Fatalf("packet of %d bytes, length %d, time %d", len(p.Data), p.Length, p.Time)
		}
	}
	for _, piece := range []int{1, 7, 61} {
		parts, perrs := replayed(data, piece)
		if !sameStream(whole, parts) {
			t.Fatalf("%d packets, but %d when read %d bytes at once", len(whole), len(parts), piece)
		}
		if len(errs) != len(perrs) || len(errs) == 1 && errs[0].Error() != perrs[0].Error() {
			t.Fatalf("errors %v, but %v when read %d bytes at once", errs, perrs, piece)
		}
	}
}

func FuzzClassic(f *testing.F) {
	for _, o := range []order{little, big} {
		for _, magic := range []uint32{magicMicro, magicNano, magicModified} {
			c := newClassicFile(o, magic).record(1, 2, 3, 60, "abc").record(4, 5, 0, 0, "").record(6, 7, 2, 2, "de")
			f.Add(c.bytes())
			f.Add(c.record(8, 9, 1<<31, 1, "").bytes())
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if sniff(data) == kindClassic {
			checkReading(t, data)
		}
	})
}

func FuzzPcapng(f *testing.F) {
	f.Add(twoNG().buf)
	for _, d := range []*blocks{
		new(blocks).section(big).iface(1, 2, little.AppendUint64(nil, 9)).block(blockSimple, []byte("\x00\x00\x00\x09abcd")),
		twoNG().block(blockPacket, make([]byte, 24)).section(big).iface(113, 0).enhanced(0, 1<<63, 9, "x"),
		twoNG().block(99, make([]byte, 5000)).enhanced(0, 7, 7, "seven"),
	} {
		f.Add(d.buf)
		f.Add(d.buf[:len(d.buf)-3])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if sniff(data) == kindSection {
			checkReading(t, data)
		}
	})
}

func FuzzOpen(f *testing.F) {
	f.Add(gzipped(f, two().bytes()))
	f.Add(zstandard(f, twoNG().buf))
	f.Add([]byte("text"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Open(Config{Paths: []string{"-"}, Stdin: bytes.NewReader(data)})
		if err != nil {
			var e *FileError
			if !errors.As(err, &e) || e.Reason == "" || e.Problem == 0 {
				t.Fatalf("error %v says not what is wrong", err)
			}
			return
		}
		var b capture.Batch
		for n := 0; n < 1000; n++ { // a small input can hold very many packets
			if err := r.Next(&b); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
