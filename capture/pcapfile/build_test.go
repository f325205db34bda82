package pcapfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"telltale/capture"
)

// order is what both encoding/binary byte orders can do.
type order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// classicFile writes a classic capture by hand.
type classicFile struct {
	order        order
	magic        uint32
	major, minor uint16
	link         uint32
	buf          []byte
}

func newClassicFile(o order, magic uint32) *classicFile {
	return &classicFile{order: o, magic: magic, major: 2, minor: 4, link: 1}
}

func (c *classicFile) head() []byte {
	b := c.order.AppendUint32(nil, c.magic)
	b = c.order.AppendUint16(b, c.major)
	b = c.order.AppendUint16(b, c.minor)
	b = append(b, make([]byte, 8)...)
	b = c.order.AppendUint32(b, 96)
	return c.order.AppendUint32(b, c.link)
}

func (c *classicFile) record(sec, frac, caplen, length uint32, data string) *classicFile {
	for _, v := range []uint32{sec, frac, caplen, length} {
		c.buf = c.order.AppendUint32(c.buf, v)
	}
	if c.magic == magicModified {
		c.buf = append(c.buf, "IIIIPPDX"...)
	}
	c.buf = append(c.buf, data...)
	return c
}

func (c *classicFile) bytes() []byte { return append(c.head(), c.buf...) }

// blocks writes a pcapng capture by hand.
type blocks struct {
	order order
	buf   []byte
}

func (b *blocks) block(kind uint32, body []byte) *blocks {
	size := uint32(12 + (len(body)+3)&^3)
	b.buf = b.order.AppendUint32(b.buf, kind)
	b.buf = b.order.AppendUint32(b.buf, size)
	b.buf = append(b.buf, body...)
	b.buf = append(b.buf, make([]byte, -len(body)&3)...)
	b.buf = b.order.AppendUint32(b.buf, size)
	return b
}

func (b *blocks) section(o order) *blocks {
	b.order = o
	body := o.AppendUint32(nil, sectionMagic)
	body = o.AppendUint16(body, 1)
	body = o.AppendUint16(body, 0)
	body = o.AppendUint64(body, ^uint64(0))
	return b.block(blockSection, append(body, b.option(4, []byte("hand"))...))
}

func (b *blocks) option(code uint16, value []byte) []byte {
	o := b.order.AppendUint16(nil, code)
	o = b.order.AppendUint16(o, uint16(len(value)))
	o = append(o, value...)
	return append(o, make([]byte, -len(value)&3)...)
}

func (b *blocks) iface(link uint16, snap uint32, options ...[]byte) *blocks {
	body := b.order.AppendUint16(nil, link)
	body = b.order.AppendUint16(body, 0)
	body = b.order.AppendUint32(body, snap)
	for _, o := range options {
		body = append(body, o...)
	}
	return b.block(blockInterface, append(body, b.option(optionEnd, nil)...))
}

func (b *blocks) enhanced(id uint32, t uint64, length uint32, data string) *blocks {
	body := b.order.AppendUint32(nil, id)
	body = b.order.AppendUint32(body, uint32(t>>32))
	body = b.order.AppendUint32(body, uint32(t))
	body = b.order.AppendUint32(body, uint32(len(data)))
	body = b.order.AppendUint32(body, length)
	body = append(body, data...)
	body = append(body, make([]byte, -len(data)&3)...)
	return b.block(blockEnhanced, append(body, b.option(1, []byte("comment"))...))
}

// got is a packet that outlives its batch.
type got struct {
	Data    string
	Time    int64
	Ordinal uint64
	Length  uint32
	Link    capture.LinkType
}

// drain reads r to its end with three batches in turn, as a pipeline of workers does,
// and copies a batch only when it is about to be reused.
func drain(t testing.TB, r *Reader) []got {
	t.Helper()
	var out []got
	var ring [3]capture.Batch
	keep := func(b *capture.Batch) {
		for _, p := range b.Packets {
			out = append(out, got{string(p.Data), p.Time, p.Ordinal, p.Length, p.Link})
		}
		b.Packets = nil
	}
	for i := 0; ; i++ {
		b := &ring[i%len(ring)]
		keep(b)
		err := r.Next(b)
		if errors.Is(err, io.EOF) {
			b.Packets = nil
			for j := 1; j < len(ring); j++ {
				keep(&ring[(i+j)%len(ring)])
			}
			return out
		}
		if err != nil {
			t.Fatalf("Next: %v", err)
		}
		if len(b.Packets) == 0 {
			t.Fatal("Next returned no packet and no error")
		}
	}
}

// readAll reads what conf names.
func readAll(t testing.TB, conf Config) ([]got, *Reader) {
	t.Helper()
	r, err := Open(conf)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	packets := drain(t, r)
	if err := r.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	return packets, r
}

// store writes data to a new file called name.
func store(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func gzipped(t testing.TB, parts ...[]byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	for _, p := range parts {
		z := gzip.NewWriter(&buf)
		if _, err := z.Write(p); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return buf.Bytes()
}

func zstandard(t testing.TB, parts ...[]byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for _, p := range parts {
		out = z.EncodeAll(p, out)
	}
	return out
}

// written makes a classic nanosecond capture of packets.
func written(t testing.TB, packets []got) []byte {
	t.Helper()
	var buf bytes.Buffer
	link := capture.LinkEthernet
	if len(packets) > 0 {
		link = packets[0].Link
	}
	w, err := NewWriter(&buf, link, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		q := capture.Packet{Data: []byte(p.Data), Time: p.Time, Length: p.Length, Link: p.Link}
		if err := w.Write(&q); err != nil {
			t.Fatal(err)
		}
	}
	return buf.Bytes()
}
