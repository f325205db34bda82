package filter

import (
	"strings"
	"testing"

	"golang.org/x/net/bpf"
)

func TestReadProgram(t *testing.T) {
	// tcpdump -y EN10MB -ddd 'ip'
	p, err := ReadProgram(strings.NewReader("4\n40 0 0 12\n21 0 1 2048\n6 0 0 262144\n6 0 0 0\n"))
	if err != nil {
		t.Fatal(err)
	}
	frame := frameOfHex(t, macs, dns4)
	if !p.Match(frame, uint32(len(frame)), 0) || p.Match(frame[:12], 100, 0) || p.Match(frameOfHex(t, macs, "0806", "0000"), 60, 0) {
		t.Error("the program for ip does not do what it says")
	}
	for name, text := range map[string]string{
		"empty":           "",
		"no count":        "ip\n",
		"dd":              "{ 0x28, 0, 0, 0x0000000c },\n",
		"d":               "(000) ldh      [12]\n",
		"zero":            "0\n",
		"cut":             "4\n40 0 0 12\n21 0 1 2048\n",
		"more":            "1\n6 0 0 0\n6 0 0 0\n",
		"three numbers":   "1\n6 0 0\n",
		"negative":        "1\n6 0 0 -1\n",
		"byte":            "2\n21 256 0 0\n6 0 0 0\n",
		"unknown":         "2\n255 0 0 0\n6 0 0 0\n",
		"unknown high":    "2\n296 0 0 0\n6 0 0 0\n",
		"jump true":       "2\n21 1 0 0\n6 0 0 0\n",
		"jump false":      "2\n21 0 1 0\n6 0 0 0\n",
		"jump":            "2\n5 0 0 1\n6 0 0 0\n",
		"jump far":        "2\n5 0 0 4294967295\n6 0 0 0\n",
		"no return":       "1\n40 0 0 12\n",
		"cell":            "2\n96 0 0 16\n6 0 0 0\n",
		"division":        "2\n52 0 0 0\n6 0 0 0\n",
		"shift":           "2\n100 0 0 32\n6 0 0 0\n",
		"packet type":     "2\n40 0 0 4294963204\n6 0 0 0\n",
		"absurdly long":   "1\n" + strings.Repeat("6", 100) + "\n",
		"too many":        "4097\n",
		"network offset":  "2\n48 0 0 4293918720\n6 0 0 0\n",
		"header from tag": "2\n177 0 0 4294963244\n6 0 0 0\n",
	} {
		if p, err := ReadProgram(strings.NewReader(text)); err == nil {
			t.Errorf("%s: accepted: %v", name, p)
		} else if !strings.Contains(err.Error(), "tcpdump -ddd") && !strings.Contains(err.Error(), "must have") {
			t.Errorf("%s: does not say what to do: %v", name, err)
		}
	}
}

// TestMachine runs every operation and compares with the interpreter of x/net/bpf,
// which has no length on the wire.
func TestMachine(t *testing.T) {
	data := []byte{0x45, 1, 2, 3, 250, 251, 252, 253, 9, 10, 11, 12, 13, 14, 15, 16}
	for op := range uint16(256) {
		for _, k := range []uint32{0, 1, 4, 13, 15, 0xfffffff0} {
			p := Program{
				{Op: opLoadConst, K: 0xfedcba98},
				{Op: opStore, K: 1},
				{Op: opStore, K: 4},
				{Op: opStore, K: 0},
				{Op: opStore, K: 13},
				{Op: opStore, K: 15},
				{Op: opLoadXConst, K: 3},
				{Op: op, Jt: 0, Jf: 1, K: k},
				{Op: opAdd, K: 1},
				{Op: opAddX},
				{Op: opReturnA},
			}
			if op == opJump {
				p[7].K = 1
			}
			if p.check() != nil {
				continue
			}
			ins, ok := bpf.Disassemble(p)
			if !ok {
				continue
			}
			vm, err := bpf.NewVM(ins)
			if err != nil {
				continue
			}
			n, err := vm.Run(data)
			if err != nil {
				continue // x/net/bpf does not know negation
			}
			if got := p.Match(data, uint32(len(data)), 0); got != (n != 0) {
				t.Errorf("operation %#x, operand %d: %v, x/net/bpf has %d", op, k, got, n)
			}
		}
	}
}

func FuzzReadProgram(f *testing.F) {
	f.Add("4\n40 0 0 12\n21 0 1 2048\n6 0 0 262144\n6 0 0 0\n", []byte("0123456789abcdef"))
	f.Add("2\n5 0 0 0\n22 0 0 0\n", []byte{})
	f.Add("6\n48 0 0 4294963248\n84 0 0 15\n2 0 0 3\n97 0 0 3\n64 0 0 4294967295\n22 0 0 0\n", []byte{1})
	f.Fuzz(func(t *testing.T, text string, data []byte) {
		p, err := ReadProgram(strings.NewReader(text))
		if err == nil {
			p.Match(data, uint32(len(data)), 0)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, c := range usual {
		f.Add(c.expression, []byte{0x45, 0, 0, 28})
	}
	f.Fuzz(func(t *testing.T, expression string, data []byte) {
		flt, err := Parse(expression)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without text")
			}
			return
		}
		for _, link := range links {
			p, err := flt.Program(link, true)
			if err != nil {
				continue
			}
			if err := p.check(); err != nil {
				t.Fatalf("%q for %s: %v", expression, link, err)
			}
			p.Match(data, uint32(len(data)), 0)
		}
	})
}
