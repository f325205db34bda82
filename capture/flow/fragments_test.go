package flow_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"telltale/capture"
	"telltale/capture/decode"
)

// pieces cuts the IP packet of an Ethernet frame without tags into fragments of size
// bytes that repeat the last bytes of the one before (overlap); the frame itself if it
// is short, a fragment already or no IP. Sizes are multiples of eight. id must not repeat.
func pieces(frame []byte, size, overlap int, id uint16) [][]byte {
	const link = 14
	head, body, v6 := []byte(nil), []byte(nil), false
	switch binary.BigEndian.Uint16(frame[12:]) {
	case 0x0800:
		n := link + int(frame[link]&15)*4
		head, body = frame[:n], frame[n:link+int(binary.BigEndian.Uint16(frame[link+2:]))]
	case 0x86dd:
		v6 = true
		head, body = frame[:link+40], frame[link+40:link+40+int(binary.BigEndian.Uint16(frame[link+4:]))]
	}
	cut := !v6 && head != nil && binary.BigEndian.Uint16(frame[link+6:])&0x3fff != 0
	if len(body) <= size || cut || v6 && overlap > 0 {
		return [][]byte{frame}
	}
	var all [][]byte
	for at := 0; at < len(body); at += size {
		from, to := max(0, at-overlap), min(len(body), at+size)
		more := to < len(body)
		f := slices.Clone(head)
		if v6 {
			word := uint16(from)
			if more {
				word |= 1
			}
			f = append(f, head[link+6], 0, byte(word>>8), byte(word), 0, 0, byte(id>>8), byte(id))
			f[link+6] = 44
			binary.BigEndian.PutUint16(f[link+4:], uint16(8+to-from))
		} else {
			word := uint16(from / 8)
			if more {
				word |= 0x2000
			}
			binary.BigEndian.PutUint16(f[link+2:], uint16(len(head)-link+to-from))
			binary.BigEndian.PutUint16(f[link+4:], id)
			binary.BigEndian.PutUint16(f[link+6:], word)
		}
		all = append(all, append(f, body[from:to]...))
	}
	return all
}

// wrap puts an Ethernet frame into an encapsulation.
func wrap(how string, frame []byte) []byte {
	ends := []byte{203, 0, 113, 1, 203, 0, 113, 2}
	outer := func(protocol byte, parts ...[]byte) []byte {
		body := slices.Concat(parts...)
		b := slices.Concat(frame[:12], []byte{8, 0, 0x45, 0}, binary.BigEndian.AppendUint16(nil, uint16(20+len(body))), []byte{0, 0, 0, 0, 64, protocol, 0, 0}, ends)
		return append(b, body...)
	}
	switch how {
	case "vlan":
		return slices.Concat(frame[:12], []byte{0x81, 0, 0, 30}, frame[12:])
	case "qinq":
		return slices.Concat(frame[:12], []byte{0x88, 0xa8, 0, 200, 0x81, 0, 0, 30}, frame[12:])
	case "gre":
		return outer(47, []byte{0, 0, 0x65, 0x58}, frame)
	case "vxlan":
		udp := binary.BigEndian.AppendUint16([]byte{0xc0, 0, 0x12, 0xb5}, uint16(16+len(frame)))
		return outer(17, append(udp, 0, 0), []byte{8, 0, 0, 0, 0, 0, 7, 0}, frame)
	}
	return frame
}

// asked lists the messages among JSON lines: protocol, kind, client and name.
func asked(t *testing.T, lines string) (all []string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		var o struct{ Proto, Kind, Src, Name string }
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		if o.Proto != "flow" {
			all = append(all, strings.Join([]string{o.Proto, o.Kind, o.Src, o.Name}, " "))
		}
	}
	return all
}

// TestFragmentsAreNamed: DNS over UDP and TCP, QUIC, TLS and HTTP in fragments say what
// they say whole, in any order and in any wrapping; with a piece missing they say
// nothing, and that is counted.
func TestFragmentsAreNamed(t *testing.T) {
	arrange := map[string]func([][]byte) [][]byte{
		"in order": func(p [][]byte) [][]byte { return p },
		"reversed": func(p [][]byte) [][]byte { p = slices.Clone(p); slices.Reverse(p); return p },
		"twice": func(p [][]byte) [][]byte {
			var all [][]byte
			for _, f := range p {
				all = append(all, f, f)
			}
			return all
		},
	}
	for _, name := range []string{"dig-dns/input.pcap", "chromium-quic/input.pcapng", "updater/input.pcap", "dtls/input.pcap"} {
		packets, _ := load(t, "../../testdata/case/"+name)
		whole, _ := follow(t, packets, 0, 1)
		want := asked(t, whole)
		for order, change := range arrange {
			for _, how := range []string{"plain", "vlan", "qinq", "gre", "vxlan"} {
				for _, overlap := range []int{0, 16} {
					t.Run(fmt.Sprintf("%s/%s/%s/overlap %d", name, order, how, overlap), func(t *testing.T) {
						var cut []capture.Packet
						for i, p := range packets {
							for _, f := range change(pieces(p.Data, 40, overlap, uint16(i+1))) {
								b := wrap(how, f)
								cut = append(cut, capture.Packet{Data: b, Length: uint32(len(b)), Time: p.Time, Link: p.Link})
							}
						}
						for _, workers := range []int{1, 3} {
							got, res := follow(t, cut, decode.DefaultDedup, workers)
							if names := asked(t, got); !slices.Equal(names, want) {
								t.Fatalf("got\n%s\nwant\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
							}
							if f := res.Decode.Fragments; f.Complete < 2 || f.Held != 0 {
								t.Errorf("fragments %+v", f)
							}
						}
					})
				}
			}
		}
		t.Run(name+"/missing", func(t *testing.T) {
			var cut []capture.Packet
			for i, p := range packets {
				all := pieces(p.Data, 40, 0, uint16(i+1))
				for k, f := range all {
					if len(all) == 1 || k != len(all)/2 {
						cut = append(cut, capture.Packet{Data: f, Length: uint32(len(f)), Time: p.Time, Link: p.Link})
					}
				}
			}
			got, res := follow(t, cut, decode.DefaultDedup, 1)
			for _, n := range asked(t, got) {
				if !slices.Contains(want, n) {
					t.Errorf("%s: nobody asked for it", n)
				}
			}
			f := res.Decode.Fragments
			if f.Complete > 1 || f.Begun == 0 || int(f.Begun) != f.Held+int(f.Complete+f.TimedOut+f.Evicted) { // the recording has a datagram in fragments of its own
				t.Errorf("fragments %+v", f)
			}
		})
	}
}
