package feeds

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// walkLabels is the plain way: try every parent of the name in a map.
func walkLabels(m map[string][]uint32, name string) []uint32 {
	var out []uint32
	labels := strings.Split(name, ".")
	for i := len(labels) - 1; i >= 0; i-- {
		out = append(out, m[strings.Join(labels[i:], ".")]...)
	}
	return out
}

func TestNamesFindWhatAMapFinds(t *testing.T) {
	label := rapid.StringMatching(`[a-c]{1,2}|a-b`)
	name := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(label, 1, 5).Draw(t, "labels"), ".")
	})
	rapid.Check(t, func(t *rapid.T) {
		m := make(map[string][]uint32)
		var b namesBuilder
		for i, n := range rapid.SliceOfN(name, 0, 40).Draw(t, "listed") {
			m[n] = append(m[n], uint32(i))
			b.add(n, uint32(i))
		}
		table := b.build()
		for _, q := range rapid.SliceOfN(name, 1, 40).Draw(t, "asked") {
			var got []uint32
			for _, h := range table.find([]byte(q), nil) {
				got = append(got, h.rule)
			}
			if d := cmp.Diff(walkLabels(m, q), got); d != "" {
				t.Fatalf("%s: -map +table\n%s", q, d)
			}
		}
	})
}

func TestNamesMatchAtLabelBoundariesOnly(t *testing.T) {
	var b namesBuilder
	b.add("icloud.com", 1)
	table := b.build()
	for name, want := range map[string]bool{
		"icloud.com": true, "www.icloud.com": true, "a.b.icloud.com": true,
		"myicloud.com": false, "icloud.com.example": false, "com": false, "": false, ".": false,
		`a\.icloud.com`:   false, // an escaped dot is part of the label
		`a\\.icloud.com`:  true,  // an escaped backslash before a dot is not
		`a\046icloud.com`: false,
		strings.Repeat("a.", maxName) + "icloud.com": false, // longer than a name can be
	} {
		if _, got := table.longest([]byte(name)); got != want {
			t.Errorf("%.40q: found %v, want %v", name, got, want)
		}
	}
}

func TestEmptyTableFindsNothing(t *testing.T) {
	var b namesBuilder
	empty, zero := b.build(), names{}
	for _, table := range []*names{&empty, &zero} {
		if _, ok := table.longest([]byte("example.com")); ok {
			t.Error("found a name in an empty table")
		}
	}
}

// generatedNames returns n different names of realistic length.
func generatedNames(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%x%d.%s", r.Uint32()&0xffff, i, []string{"com", "net", "org", "co.uk", "de"}[r.IntN(5)])
	}
	return out
}

// size returns the bytes the table occupies.
func (t *names) size() int {
	return len(t.text) + len(t.entries)*int(unsafe.Sizeof(nameEntry{})) + len(t.slots)*4 + len(t.filter)*8
}

func TestNamesStaySmall(t *testing.T) {
	const n = 1_000_000
	var b namesBuilder
	for i, name := range generatedNames(n) {
		b.add(name, uint32(i))
	}
	table := b.build()
	if per := float64(table.size()) / n; per > 80 {
		t.Errorf("%.1f bytes a name, want at most 80", per)
	} else {
		t.Logf("%.1f bytes a name", per)
	}
}

// asked returns names to look up, one in a hundred below a listed one.
func asked(listed []string) [][]byte {
	out := make([][]byte, 4096)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range out {
		name := fmt.Sprintf("cdn%d.assets-%x.example%d.net", r.IntN(100), r.Uint32()&0xfff, r.IntN(1000))
		if i%100 == 0 {
			name = "api.eu." + listed[r.IntN(len(listed))]
		}
		out[i] = []byte(name)
	}
	return out
}

func BenchmarkNames(b *testing.B) {
	for _, n := range []int{1000, 100_000, 1_000_000} {
		listed := generatedNames(n)
		queries := asked(listed)
		b.Run(fmt.Sprintf("table/%d", n), func(b *testing.B) {
			var nb namesBuilder
			for i, name := range listed {
				nb.add(name, uint32(i))
			}
			table := nb.build()
			b.ReportAllocs()
			b.ReportMetric(float64(table.size())/float64(n), "B/name")
			for i := 0; b.Loop(); i++ {
				table.longest(queries[i%len(queries)])
			}
		})
		b.Run(fmt.Sprintf("map/%d", n), func(b *testing.B) {
			m := make(map[string]uint32, n)
			for i, name := range listed {
				m[name] = uint32(i)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				lookupMap(m, queries[i%len(queries)])
			}
		})
	}
}

// lookupMap tries the name and then its parents in a map, without allocating.
func lookupMap(m map[string]uint32, name []byte) (uint32, bool) {
	for {
		if v, ok := m[string(name)]; ok {
			return v, true
		}
		i := 0
		for i < len(name) && name[i] != '.' {
			i++
		}
		if i == len(name) {
			return 0, false
		}
		name = name[i+1:]
	}
}
