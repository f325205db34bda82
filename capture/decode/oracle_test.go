package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"telltale/capture"
)

// pairs counts packets by innermost source and destination, "src > dst".
type pairs map[string]int

func (p pairs) add(s *Segment) {
	p[fmt.Sprint(netip.AddrFrom16(s.Src).Unmap(), " > ", netip.AddrFrom16(s.Dst).Unmap())]++
}

// expected are the innermost pairs that an independent decoder saw in a capture;
// false if there are too many for a list.
func expected(t *testing.T, path string) (pairs, bool) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var o struct {
		Pairs struct {
			List [][]any `json:"list"`
		} `json:"ip_pairs"`
	}
	if err := json.Unmarshal(b, &o); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	p := pairs{}
	for _, row := range o.Pairs.List {
		p[fmt.Sprint(row[0], " > ", row[1])] = int(row[2].(float64))
	}
	return p, o.Pairs.List != nil
}

// decoded are the pairs that Decode finds. For packets without a segment it leaves the
// addresses of the innermost IP header in place; where it is an ICMP message that
// quotes another packet, those of the message stand 28 or 48 bytes before the quoted.
func decoded(t *testing.T, path string) pairs {
	t.Helper()
	found, d := pairs{}, New(Config{})
	err := readCapture(path, func(p *capture.Packet) {
		var s Segment
		if r := d.Decode(p, &s); r == Unreachable && !messageAddresses(p.Data, &s) {
			t.Errorf("packet %d: the quoted addresses are not in it", p.Ordinal)
		}
		if s.Message != capture.ProtoNone && s.Protocol == 0 {
			s.Src, s.Dst = s.OuterSrc, s.OuterDst // of the tunnel around it
		}
		if s.Src != [16]byte{} || s.Dst != [16]byte{} {
			found.add(&s)
		}
		d.Release()
	})
	if err != nil {
		t.Logf("%v", err)
	}
	return found
}

func messageAddresses(data []byte, s *Segment) bool {
	n, back := 32, 48
	quoted := join(s.Src[:], s.Dst[:])
	if !s.IPv6 {
		n, back = 8, 28
		quoted = join(s.Src[12:], s.Dst[12:])
	}
	at := bytes.LastIndex(data, quoted)
	if at < back {
		return false
	}
	message := data[at-back:][:n]
	if s.IPv6 {
		s.Src, s.Dst = [16]byte(message), [16]byte(message[16:])
		return true
	}
	mapIPv4(&s.Src, message)
	mapIPv4(&s.Dst, message[4:])
	return true
}

// Every address pair of the captures, whatever it is wrapped in, is found, and no other.
func TestCapturesLikeOracle(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(captures(t), "*.oracle.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".oracle.json")
		want, listed := expected(t, path)
		files, err := filepath.Glob(strings.TrimSuffix(path, ".oracle.json") + ".pcap*")
		if err != nil || len(files) != 1 {
			t.Fatalf("%s: no single capture: %v %v", name, files, err)
		}
		if !listed {
			continue
		}
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, decoded(t, files[0])); diff != "" {
				t.Errorf("packets by address pair (-want +got):\n%s", diff)
			}
		})
	}
}
