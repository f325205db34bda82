package proto

import (
	"encoding/binary"

	"golang.org/x/net/http2/hpack"

	"telltale/capture"
)

// http2Preface begins what a client says in HTTP/2 without TLS, whether it knew before
// that the server speaks it or asked by Upgrade: h2c (RFC 9113 §3.4).
const http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

var _ = registerStream(Stream{
	Proto: capture.ProtoHTTP,
	From:  Client,
	Order: 29,
	// Behind the preface come frames.
	Repeat: true,
	Match:  func(b []byte) Verdict { return matchPrefix(b, http2Preface) },
	Parse:  http2ParsePreface,
	Reader: newHTTP2Reader,
})

func http2ParsePreface(b []byte, last bool, _ *capture.Log) (int, Status) {
	switch v := matchPrefix(b, http2Preface); {
	case v == Yes:
		return len(http2Preface), Done
	case v == No || last:
		return 0, Reject
	}
	return 0, Incomplete
}

// Frame types and flags (RFC 9113 §6).
const (
	http2Headers      = 1
	http2Continuation = 9

	http2EndHeaders = 0x04
	http2Padded     = 0x08
	http2Priority   = 0x20
)

const (
	http2FrameHeader   = 9  // length, type, flags, stream
	http2PriorityField = 5  // stream it depends on, weight
	http2MaxFrames     = 32 // of one header block

	// http2Table is the size of the dynamic table until the server's settings give
	// another one (RFC 9113 §6.5.2), http2MaxTable what a client may make of it here.
	http2Table    = 4096
	http2MaxTable = 16 << 10
)

// http2Reader reads the frames that a client sends: header blocks refer to what was in
// those before (RFC 7541), so each must be read, in order. It reports requests.
type http2Reader struct {
	table  *hpack.Decoder
	broken bool // the table is not what the client thinks any more

	// Fields of the block being read.
	method, path, authority, host, userAgent string
}

func newHTTP2Reader() Reader {
	r := new(http2Reader)
	r.table = hpack.NewDecoder(http2Table, r.field)
	r.table.SetAllowedMaxDynamicTableSize(http2MaxTable)
	r.table.SetMaxStringLength(httpMaxHead)
	return r
}

// field takes a header field. The first of several of a name counts.
func (r *http2Reader) field(f hpack.HeaderField) {
	var to *string
	switch f.Name {
	case ":method":
		to = &r.method
	case ":path":
		to = &r.path
	case ":authority":
		to = &r.authority
	case "host":
		to = &r.host
	case "user-agent":
		to = &r.userAgent
	default:
		return
	}
	if *to == "" {
		*to = f.Value
	}
}

// Read reads one frame, or one header block in several. Only header blocks are waited
// for, other frames are passed over.
func (r *http2Reader) Read(b []byte, last bool, log *capture.Log) (int, Status) {
	f, ok := http2ReadFrame(b)
	switch {
	case r.broken:
		return 0, Reject
	case !ok:
		return 0, http2Short(last)
	case f.kind == http2Continuation:
		return 0, Reject
	case f.kind != http2Headers:
		return f.size, Done
	}
	block, s := http2ReadBlock(b)
	if s == Reject || s == Incomplete && !last {
		return 0, s
	}
	r.method, r.path, r.authority, r.host, r.userAgent = "", "", "", "", ""
	partial := !r.decode(&block) || s == Incomplete
	r.broken = partial
	if r.method == "" && partial {
		return 0, Reject
	}
	if r.method != "" { // else trailers (RFC 9113 §8.1)
		r.report(partial, log)
	}
	return block.end, Done
}

func http2Short(last bool) Status {
	if last {
		return Reject
	}
	return Incomplete
}

// decode reads a header block into the fields. It says whether it was sound.
func (r *http2Reader) decode(block *http2Block) bool {
	for _, fragment := range block.fragments[:block.n] {
		if _, err := r.table.Write(fragment); err != nil {
			return false
		}
	}
	return r.table.Close() == nil
}

func (r *http2Reader) report(partial bool, log *capture.Log) {
	authority := r.authority
	if authority == "" {
		authority = r.host // RFC 9113 §8.3.1
	}
	target := r.path
	if target == "" {
		target = authority // CONNECT has no path (RFC 9113 §8.5)
	}
	a := httpSplitAuthority([]byte(authority))
	o := log.Add(capture.ProtoHTTP, capture.Request)
	o.Transport = httpTCP
	o.Name = httpHostName(log, a.name)
	o.HTTP.Port, o.HTTP.HostIsIP = a.port, a.ip
	o.HTTP.Major = 2
	o.HTTP.Method = http2Copy(log, r.method, httpMaxField)
	o.HTTP.Target = http2Copy(log, target, httpMaxTarget)
	o.HTTP.UserAgent = http2Copy(log, r.userAgent, httpMaxField)
	o.HTTP.Partial = partial
}

// http2Copy returns the first bytes of s in the log's memory, nil if it is empty.
func http2Copy(log *capture.Log, s string, most int) []byte {
	if s == "" {
		return nil
	}
	b := log.Bytes(min(len(s), most))
	copy(b, s)
	return b
}

// http2Frame is the header of a frame (RFC 9113 §4.1).
type http2Frame struct {
	size   int // with the header
	kind   uint8
	flags  uint8
	stream uint32
}

// http2ReadFrame reads the frame header at the start of b; ok is false if b is too short.
func http2ReadFrame(b []byte) (f http2Frame, ok bool) {
	if len(b) < http2FrameHeader {
		return f, false
	}
	return http2Frame{
		size: http2FrameHeader + (int(b[0])<<16 | int(b[1])<<8 | int(b[2])),
		kind: b[3], flags: b[4], stream: binary.BigEndian.Uint32(b[5:]) &^ (1 << 31),
	}, true
}

// http2Block is a header block: the fragments of a HEADERS frame and of the CONTINUATION
// frames behind it (RFC 9113 §6.2, §6.10).
type http2Block struct {
	fragments [http2MaxFrames][]byte
	n         int
	end       int // offset behind its last frame
}

// http2ReadBlock finds the fragments at the start of b, which begins with HEADERS. Of a
// block that is Incomplete it returns what is there.
func http2ReadBlock(b []byte) (block http2Block, s Status) {
	first, _ := http2ReadFrame(b)
	for block.n < http2MaxFrames {
		f, ok := http2ReadFrame(b[block.end:])
		if !ok {
			block.end = len(b)
			return block, Incomplete
		}
		if block.n > 0 && f.kind != http2Continuation || f.stream != first.stream || f.stream == 0 {
			return block, Reject
		}
		end := min(block.end+f.size, len(b))
		fragment, s := f.fragment(b[block.end+http2FrameHeader : end])
		if s == Reject {
			return block, Reject
		}
		block.fragments[block.n] = fragment
		block.n++
		block.end = end
		if s == Incomplete {
			return block, Incomplete
		}
		if f.flags&http2EndHeaders != 0 {
			return block, Done
		}
	}
	return block, Reject
}

// fragment strips padding and priority from the payload b of f. It is Incomplete if b is
// not all of it.
func (f *http2Frame) fragment(b []byte) (fragment []byte, s Status) {
	left := f.size - http2FrameHeader // of the payload
	s = Done
	if len(b) < left {
		s = Incomplete
	}
	if f.kind != http2Headers {
		return b, s
	}
	front, padding := 0, 0
	if f.flags&http2Padded != 0 {
		front = 1
		if len(b) > 0 {
			padding = int(b[0])
		}
	}
	if f.flags&http2Priority != 0 {
		front += http2PriorityField
	}
	if left < front+padding {
		return nil, Reject
	}
	return b[min(front, len(b)):min(left-padding, len(b))], s
}
