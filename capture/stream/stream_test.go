package stream_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/pcapfile"
	"telltale/capture/stream"
)

func open(r io.Reader) (capture.Source, error) {
	return pcapfile.Open(pcapfile.Config{Paths: []string{"-"}, Stdin: r})
}

func config(t *testing.T) stream.Config {
	return stream.Config{
		Open: open, Clock: func() int64 { return time.Now().UnixNano() }, Wait: 20 * time.Millisecond,
		Told: func(err error) { t.Log(err) },
	}
}

// written is a capture of n packets numbered from first in their first byte.
func written(t *testing.T, first, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pcapfile.NewWriter(&b, capture.LinkEthernet, true)
	for i := range n {
		err = errors.Join(err, w.Write(&capture.Packet{Data: []byte{byte(first + i), 2, 3}, Time: int64(i), Length: 3, Link: capture.LinkEthernet}))
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// collect reads until n packets have come, or the source ends, and returns their numbers.
func collect(t *testing.T, src capture.Source, n int) (all []int) {
	t.Helper()
	var b capture.Batch
	for limit := time.Now().Add(10 * time.Second); len(all) < n && time.Now().Before(limit); {
		err := src.Next(&b)
		for _, p := range b.Packets {
			all = append(all, int(p.Data[0]))
		}
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestPipeDoesNotWaitForItsEnd(t *testing.T) {
	r, w := io.Pipe()
	src := stream.Pipe(r, config(t))
	defer src.Close()
	var idle capture.Batch
	if err := src.Next(&idle); err != nil || len(idle.Packets) != 0 {
		t.Errorf("an idle pipe: %d packets, %v", len(idle.Packets), err)
	}
	go func() { _, _ = w.Write(written(t, 1, 3)) }()
	if got := collect(t, src, 3); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("got %v", got)
	}
	w.Close()
	if got := collect(t, src, 1); len(got) != 0 {
		t.Errorf("%v after the end", got)
	}
	if s := src.Stats(); s.Packets != 3 {
		t.Errorf("stats %+v", s)
	}
}

func TestPcapOverIP(t *testing.T) {
	server, addr, err := stream.Accept("127.0.0.1:0", config(t))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for i := range 3 { // several clients, one of which sends no capture
		conn, err := net.Dial("tcp", addr.String())
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			_, _ = conn.Write(bytes.Repeat([]byte("no capture "), 10))
		} else {
			_, _ = conn.Write(written(t, 10*i+1, 2))
		}
		conn.Close()
	}
	got := collect(t, server, 4)
	slices.Sort(got)
	if !slices.Equal(got, []int{1, 2, 21, 22}) {
		t.Errorf("got %v", got)
	}
}

// TestDialAgain: a server that ends the connection is connected to again.
func TestDialAgain(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for i := range 2 {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write(written(t, 10*i+1, 2))
			conn.Close()
		}
	}()
	src, err := stream.Dial(l.Addr().String(), config(t))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if got := collect(t, src, 4); !slices.Equal(got, []int{1, 2, 11, 12}) {
		t.Errorf("got %v", got)
	}
	if _, err := stream.Dial("no-port", config(t)); err == nil {
		t.Error("an address without a port was taken")
	}
}

func put(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func add(t *testing.T, path string, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.Write(b)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestFolderReadsFinishedFiles(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "b"), written(t, 1, 2))
	time.Sleep(20 * time.Millisecond)
	put(t, filepath.Join(dir, "a"), written(t, 11, 2)) // written later, whatever its name
	put(t, filepath.Join(dir, ".hidden"), written(t, 99, 1))
	src, err := stream.Folder(stream.FolderConfig{Config: config(t), Dir: dir, Settle: 200 * time.Millisecond, Every: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if got := collect(t, src, 4); !slices.Equal(got, []int{1, 2, 11, 12}) {
		t.Errorf("got %v", got)
	}
	put(t, filepath.Join(dir, "c"), []byte("no capture, but long enough to be looked at: ........"))
	time.Sleep(20 * time.Millisecond)
	put(t, filepath.Join(dir, "b"), written(t, 31, 1)) // the name is used again
	if got := collect(t, src, 1); !slices.Equal(got, []int{31}) {
		t.Errorf("got %v of a file written anew", got)
	}
}

func TestFolderFollowsTheGrowingFile(t *testing.T) {
	dir := t.TempDir()
	whole := written(t, 1, 3)
	cut := len(whole) - 10 // in the middle of the last record
	put(t, filepath.Join(dir, "1"), whole[:cut])
	conf := stream.FolderConfig{Config: config(t), Dir: dir, Growing: true, Every: 20 * time.Millisecond}
	src, err := stream.Folder(conf)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if got := collect(t, src, 2); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("got %v", got)
	}
	add(t, filepath.Join(dir, "1"), whole[cut:])
	if got := collect(t, src, 1); !slices.Equal(got, []int{3}) {
		t.Errorf("got %v of a packet written in two parts", got)
	}
	time.Sleep(20 * time.Millisecond)
	put(t, filepath.Join(dir, "2"), written(t, 11, 1))
	if got := collect(t, src, 1); !slices.Equal(got, []int{11}) {
		t.Errorf("got %v of the next file", got)
	}
	if _, err := stream.Folder(stream.FolderConfig{Dir: filepath.Join(dir, "none")}); err == nil {
		t.Error("a directory that is not there was taken")
	}
}

// frame is an Ethernet frame with a DNS question's UDP header.
func frame() []byte {
	b := make([]byte, 14+20+8+4)
	b[12], b[13] = 8, 0
	ip := b[14:]
	ip[0], ip[8], ip[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(ip[2:], 32)
	copy(ip[12:], []byte{10, 1, 1, 1})
	copy(ip[16:], []byte{10, 1, 1, 2})
	binary.BigEndian.PutUint16(ip[20:], 5000)
	binary.BigEndian.PutUint16(ip[22:], 53)
	binary.BigEndian.PutUint16(ip[24:], 12)
	return b
}

// TestMirror: what comes in a tunnel to this host is decoded as in any tunnel, with its
// number and its ends, whatever port is listened on.
func TestMirror(t *testing.T) {
	for _, c := range []struct {
		scheme string
		header []byte
		tunnel decode.Tunnel
		id     uint32
	}{
		{"vxlan", []byte{8, 0, 0, 0, 0, 1, 2, 0}, decode.TunnelVXLAN, 0x102},
		{"geneve", []byte{0, 0, 0x65, 0x58, 0, 1, 2, 0}, decode.TunnelGENEVE, 0x102},
		{"tzsp", []byte{1, 0, 0, 1, 1}, decode.TunnelTZSP, 0},
	} {
		for _, host := range []string{"127.0.0.1", "[::1]"} {
			t.Run(c.scheme+host, func(t *testing.T) {
				m, err := stream.Listen(c.scheme, host+":0", config(t))
				if err != nil {
					t.Skip(err)
				}
				defer m.Close()
				conn, err := net.Dial("udp", m.Local().String())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if _, err := conn.Write(append(c.header, frame()...)); err != nil {
					t.Fatal(err)
				}
				var b capture.Batch
				for range 50 {
					if err := m.Next(&b); err != nil || len(b.Packets) > 0 {
						break
					}
				}
				if len(b.Packets) != 1 {
					t.Fatalf("%d packets", len(b.Packets))
				}
				var s decode.Segment
				if r := decode.New(decode.Config{}).Decode(&b.Packets[0], &s); r != decode.OK {
					t.Fatalf("decoded as %v", r)
				}
				from := conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap().As16()
				if s.Tunnel != c.tunnel || s.TunnelID != c.id || s.DstPort != 53 || s.OuterSrc != from {
					t.Errorf("got tunnel %v %d from %v, port %d", s.Tunnel, s.TunnelID, netip.AddrFrom16(s.OuterSrc), s.DstPort)
				}
			})
		}
	}
	if _, err := stream.Listen("ftp", "127.0.0.1:0", config(t)); err == nil {
		t.Error("an unknown protocol was taken")
	}
}

// TestMirrorGRE needs the right to open raw sockets.
func TestMirrorGRE(t *testing.T) {
	m, err := stream.Listen("gre", "127.0.0.1", config(t))
	if err != nil {
		t.Skipf("NOT RUN: %v", err)
	}
	defer m.Close()
	conn, err := net.Dial("ip4:gre", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(append([]byte{0, 0, 0x65, 0x58}, frame()...)); err != nil {
		t.Fatal(err)
	}
	var b capture.Batch
	for range 50 {
		if err := m.Next(&b); err != nil || len(b.Packets) > 0 {
			break
		}
	}
	var s decode.Segment
	if len(b.Packets) != 1 || decode.New(decode.Config{}).Decode(&b.Packets[0], &s) != decode.OK || s.Tunnel != decode.TunnelGRE || s.DstPort != 53 {
		t.Errorf("%d packets, %+v", len(b.Packets), s)
	}
}

// TestCloseEndsNext: closing wakes who waits, and is harmless twice.
func TestCloseEndsNext(t *testing.T) {
	r, _ := io.Pipe()
	conf := config(t)
	conf.Wait = time.Hour
	src := stream.Pipe(r, conf)
	var ended atomic.Bool
	done := make(chan struct{})
	go func() {
		var b capture.Batch
		ended.Store(errors.Is(src.Next(&b), io.EOF))
		close(done)
	}()
	src.Close()
	src.Close()
	<-done
	if !ended.Load() {
		t.Error("Next did not end with io.EOF")
	}
}
