package decode

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
	"telltale/capture"
)

// model puts fragments together byte by byte, without limits or time.
type model map[datagramKey]*modelDatagram

type modelDatagram struct {
	data  map[int]byte
	total int
	end   int
	dead  bool
}

func (m model) add(k datagramKey, p piece) ([]byte, bool) {
	if len(p.data) == 0 || p.end() > maxDatagram || p.more && len(p.data)%8 != 0 {
		return nil, false
	}
	if m[k] == nil {
		m[k] = &modelDatagram{data: map[int]byte{}, total: -1}
	}
	g := m[k]
	contradicts := g.contradicts(p)
	if k.v6 && (contradicts || g.overlaps(p)) {
		g.dead = true
	}
	if g.dead || contradicts {
		return nil, false
	}
	g.fill(p)
	if g.total != len(g.data) {
		return nil, false
	}
	whole := make([]byte, g.total)
	for i := range whole {
		whole[i] = g.data[i]
	}
	delete(m, k)
	return whole, true
}

// contradicts says whether g cannot end where p says, or where it is known to end.
func (g *modelDatagram) contradicts(p piece) bool {
	if g.total >= 0 && (p.end() > g.total || !p.more && p.end() != g.total) {
		return true
	}
	return !p.more && p.end() < g.end
}

// overlaps says whether p covers held data without being a mere repetition.
func (g *modelDatagram) overlaps(p piece) bool {
	held, same := 0, 0
	for i, b := range p.data {
		if old, ok := g.data[p.offset+i]; ok {
			held++
			if old == b {
				same++
			}
		}
	}
	repetition := same == len(p.data) && (p.more || g.total >= 0)
	return held > 0 && !repetition
}

// fill adds what of p is missing.
func (g *modelDatagram) fill(p piece) {
	for i, b := range p.data {
		if _, ok := g.data[p.offset+i]; !ok {
			g.data[p.offset+i] = b
		}
	}
	g.end = max(g.end, p.end())
	if !p.more {
		g.total = p.end()
	}
}

// pieces makes fragments of two datagrams of each IP version out of b, five bytes each.
func pieces(b []byte) (keys []datagramKey, all []piece) {
	for ; len(b) >= 5; b = b[5:] {
		k := datagramKey{id: uint32(b[0] & 1), v6: b[0]&2 != 0}
		length := int(b[2]%32) * 8
		if b[0]&8 != 0 {
			length += int(b[2] >> 5)
		}
		offset := int(b[1]) * 8
		if b[0]&16 != 0 {
			offset += 65536 - 2048
		}
		data := bytes.Repeat([]byte{b[3]}, length)
		if b[0]&32 == 0 { // the same content for the same place: only so is it a duplicate
			for i := range data {
				data[i] = byte((offset + i) * 7)
			}
		}
		keys = append(keys, k)
		all = append(all, piece{offset: offset, more: b[0]&4 != 0, data: data, next: 17})
	}
	return keys, all
}

func FuzzFragments(f *testing.F) {
	f.Add([]byte{4, 0, 2, 0, 0, 0, 2, 1, 0, 0})
	f.Add([]byte{6, 0, 2, 0, 0, 6, 1, 2, 0, 0, 2, 2, 1, 0, 0})
	f.Add([]byte{4, 4, 31, 0, 0, 36, 2, 9, 1, 0, 8, 35, 0xe1, 0, 0, 4, 0, 4, 0, 0})
	f.Add([]byte{4, 250, 31, 0, 0, 20, 255, 31, 0, 0, 24, 255, 0xe0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 2000 {
			return
		}
		var r, small reassembler
		r.setUp(Config{}.withDefaults())
		small.setUp(Config{MaxDatagrams: 2, MaxBytes: minBytes}.withDefaults())
		m := model{}
		keys, all := pieces(b)
		for i, p := range all {
			r.out.reset()
			_, got, reason := r.add(&keys[i], 0, p)
			want, ok := m.add(keys[i], p)
			if ok != (reason == OK) || !bytes.Equal(got, want) {
				t.Fatalf("fragment %d: %v with %d bytes, want complete %v with %d bytes", i, reason, len(got), ok, len(want))
			}
			small.add(&keys[i], 0, p)
		}
		balanced(t, r.state())
		balanced(t, small.state())
	})
}

// balanced checks that every datagram is accounted for.
func balanced(t *testing.T, s FragmentStats) {
	t.Helper()
	ended := s.Complete + s.TimedOut + s.Evicted + s.Overlapping + s.NoRoom
	if s.Begun < ended || s.Begun > ended+uint64(s.Held) {
		t.Fatalf("datagrams do not add up: %+v", s)
	}
}

// drawCuts returns the places where a datagram of n bytes is cut, multiples of eight.
func drawCuts(t *rapid.T, n int) []int {
	cuts := []int{0}
	for cuts[len(cuts)-1] < n {
		step := rapid.IntRange(1, max(1, n/8/3)).Draw(t, "step")
		cuts = append(cuts, min(n, cuts[len(cuts)-1]+8*step))
	}
	return cuts
}

// A datagram cut anywhere, its fragments in any order and some of them twice, gives
// the original exactly when the last missing fragment has come.
func TestAnyFragmentation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payload := rapid.SliceOfN(rapid.Byte(), 1, 6000).Draw(t, "payload")
		whole := udpBytes(string(payload))
		cuts := drawCuts(t, len(whole))
		if len(cuts) < 3 {
			return // one fragment is none
		}
		v6 := rapid.Bool().Draw(t, "v6")
		order := rapid.Permutation(indexes(len(cuts)-1)).Draw(t, "order")
		d := New(Config{MaxDatagrams: 4, MaxBytes: minBytes})
		var s Segment
		for i, n := range order {
			b := fragmentBetween(whole, cuts[n], cuts[n+1], v6)
			last := i == len(order)-1
			if r := d.Decode(packet(capture.LinkRaw, b), &s); last != (r == OK) {
				t.Fatalf("fragment %d of %d: %v", i+1, len(order), r)
			}
			if last {
				break
			}
			again := order[rapid.IntRange(0, i).Draw(t, "again")]
			b = fragmentBetween(whole, cuts[again], cuts[again+1], v6)
			if r := d.Decode(packet(capture.LinkRaw, b), &s); r != FragmentDropped {
				t.Fatalf("duplicate: %v, want fragment_dropped", r)
			}
		}
		if !bytes.Equal(s.Payload, payload) || s.IPv6 != v6 || s.DstPort != 443 || !s.Reassembled {
			t.Fatalf("not the original: %s", summary(&s))
		}
	})
}

func fragmentBetween(whole []byte, from, to int, v6 bool) []byte {
	if v6 {
		return frag6(from, to < len(whole), whole[from:to])
	}
	return frag4(from, to < len(whole), whole[from:to])
}

func indexes(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
