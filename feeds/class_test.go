package feeds

import "testing"

func TestClassesRiseInStrength(t *testing.T) {
	order := []Class{None, Located, Resolved, Visited, Likely, Device, Installed}
	for i, c := range order {
		if int(c) != i {
			t.Errorf("%s is %d, want %d", c, c, i)
		}
	}
	if len(order) != Classes {
		t.Errorf("Classes is %d, want %d", Classes, len(order))
	}
}

func TestEnumsReadWhatTheyWrite(t *testing.T) {
	for c := None; c < classCount; c++ {
		b, _ := c.MarshalText()
		var d Class
		if err := d.UnmarshalText(b); err != nil || d != c {
			t.Errorf("class %q read as %v, %v", b, d, err)
		}
	}
	for k := KindNone + 1; k < kindCount; k++ {
		b, _ := k.MarshalText()
		var d Kind
		if err := d.UnmarshalText(b); err != nil || d != k {
			t.Errorf("kind %q read as %v, %v", b, d, err)
		}
	}
	for _, f := range Functions() {
		var g Function
		if err := g.UnmarshalText([]byte(f)); err != nil || g != f || f.Meaning() == "" {
			t.Errorf("function %q read as %q, %v", f, g, err)
		}
	}
}

func TestEnumsRefuseUnknownValues(t *testing.T) {
	var (
		c Class
		k Kind
		f Function
		q Confidence
		l Listener
		s Start
	)
	for _, err := range []error{
		c.UnmarshalText([]byte("Installed")), k.UnmarshalText([]byte("")), f.UnmarshalText([]byte("updates")),
		q.UnmarshalText([]byte("sure")), l.UnmarshalText([]byte("me")), s.UnmarshalText([]byte("now")),
	} {
		if err == nil {
			t.Error("an unknown value was accepted")
		}
	}
	if Class(200).String() != "" || Kind(200).String() != "" {
		t.Error("a value out of range has a name")
	}
}
