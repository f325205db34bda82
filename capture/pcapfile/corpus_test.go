package pcapfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcapgo"
	"github.com/klauspost/compress/gzip"

	"telltale/capture"
)

// oracle is the part of a NAME.oracle.json that is about the file, made by tshark.
type oracle struct {
	File struct {
		Packets   int
		Captured  uint64  `json:"captured_bytes"`
		Wire      uint64  `json:"wire_bytes"`
		CutShort  bool    `json:"cut_short"`
		Truncated uint64  `json:"truncated_packets"`
		First     float64 `json:"first_ts"`
		Error     string  `json:"reader_error"`
	}
}

func readOracle(t *testing.T, capturePath string) oracle {
	t.Helper()
	base := strings.TrimSuffix(capturePath, ".gz")
	base = strings.TrimSuffix(base, filepath.Ext(base))
	data, err := os.ReadFile(base + ".oracle.json")
	if err != nil {
		t.Skipf("no expected values: %v", err)
	}
	var o oracle
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestCapturesAgainstOracle(t *testing.T) {
	for _, path := range captures(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			o := readOracle(t, path)
			if strings.Contains(o.File.Error, "doesn't support") {
				t.Skip("tshark refuses the content of its packets: ", o.File.Error)
			}
			packets, r := readAll(t, Config{Paths: []string{path}})
			if len(packets) != o.File.Packets {
				t.Errorf("%d packets, want %d", len(packets), o.File.Packets)
			}
			s := r.Stats()
			if s.Bytes != o.File.Captured || s.Cut != o.File.Truncated || s.Packets != uint64(o.File.Packets) {
				t.Errorf("stats %+v, want %d bytes and %d cut packets", s, o.File.Captured, o.File.Truncated)
			}
			var wire uint64
			for _, p := range packets {
				wire += uint64(p.Length)
			}
			if wire != o.File.Wire {
				t.Errorf("%d bytes on the wire, want %d", wire, o.File.Wire)
			}
			if len(packets) > 0 && math.Abs(float64(packets[0].Time)/1e9-o.File.First) > 1e-6 {
				t.Errorf("first packet at %d ns, want %f s", packets[0].Time, o.File.First)
			}
			errs := r.Errs()
			if cut := len(errs) == 1 && errs[0].Problem == Truncated; cut != o.File.CutShort || len(errs) > 1 {
				t.Errorf("errors %v, want cut short: %v", errs, o.File.CutShort)
			}
		})
	}
}

// peer is what pcapgo makes of a capture, and why it ended.
func peer(data []byte) (packets []got, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	if sniff(data) == kindGzip {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		if data, err = io.ReadAll(z); err != nil {
			return nil, err
		}
	}
	read, link, err := peerReader(data)
	for err == nil {
		var b []byte
		var ci gopacket.CaptureInfo
		if b, ci, err = read(); err == nil {
			packets = append(packets, got{string(b), ci.Timestamp.UnixNano(), uint64(len(packets) + 1), uint32(ci.Length), link(ci)})
		}
	}
	return packets, err
}

// peerReader returns how pcapgo reads a packet and how it tells the link type of one.
func peerReader(data []byte) (read func() ([]byte, gopacket.CaptureInfo, error), link func(gopacket.CaptureInfo) capture.LinkType, err error) {
	if sniff(data) != kindSection {
		r, err := pcapgo.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, nil, err
		}
		return r.ReadPacketData, func(gopacket.CaptureInfo) capture.LinkType { return capture.LinkType(r.LinkType()) }, nil
	}
	r, err := pcapgo.NewNgReader(bytes.NewReader(data), pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
	if err != nil {
		return nil, nil, err
	}
	return r.ReadPacketData, func(ci gopacket.CaptureInfo) capture.LinkType {
		i, err := r.Interface(ci.InterfaceIndex)
		if err != nil {
			return math.MaxUint32
		}
		return capture.LinkType(i.LinkType)
	}, nil
}

func TestCapturesAgainstPcapgo(t *testing.T) {
	compared := 0
	for _, path := range captures(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, err := peer(data)
			if len(want) == 0 {
				t.Skipf("pcapgo reads nothing: %v", err)
			}
			compared++
			packets, _ := readAll(t, Config{Paths: []string{path}})
			if errors.Is(err, io.EOF) && len(packets) != len(want) || len(packets) < len(want) {
				t.Fatalf("%d packets, pcapgo reads %d (then %v)", len(packets), len(want), err)
			}
			for i, w := range want {
				g := packets[i]
				g.Link &= 0xff // the width of the types pcapgo knows
				w.Link &= 0xff
				if g != w {
					g.Data, w.Data = fmt.Sprintf("%.40x", g.Data), fmt.Sprintf("%.40x", w.Data)
					t.Fatalf("packet %d is %+v, pcapgo reads %+v", i+1, g, w)
				}
			}
		})
	}
	if compared < 90 {
		t.Errorf("pcapgo could read only %d captures: the comparison is hollow", compared)
	}
}
