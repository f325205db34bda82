package format

import (
	"strconv"
	"time"
)

// object appends the members of a JSON object.
type object struct{ b []byte }

func (o *object) key(k string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(o.b, '"')
	o.b = append(o.b, k...)
	o.b = append(o.b, '"', ':')
}

func (o *object) text(k, v string) {
	o.key(k)
	o.b = appendString(o.b, v)
}

func (o *object) number(k string, v uint64) {
	o.key(k)
	o.b = strconv.AppendUint(o.b, v, 10)
}

func (o *object) truth(k string) {
	o.key(k)
	o.b = append(o.b, "true"...)
}

func (o *object) time(k string, ns int64) {
	o.key(k)
	o.b = append(o.b, '"')
	o.b = time.Unix(0, ns).UTC().AppendFormat(o.b, "2006-01-02T15:04:05.000000000Z")
	o.b = append(o.b, '"')
}

func (o *object) list(k string, n int, each func(i int)) {
	o.key(k)
	o.b = append(o.b, '[')
	for i := range n {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		each(i)
	}
	o.b = append(o.b, ']')
}

func (o *object) open(k string) {
	o.key(k)
	o.b = append(o.b, '{')
}

func (o *object) close() { o.b = append(o.b, '}') }

func (o *object) signed(k string, v int64) {
	o.key(k)
	o.b = strconv.AppendInt(o.b, v, 10)
}

// strings appends a list of texts, nothing if there is none.
func (o *object) strings(k string, v []string) {
	if len(v) > 0 {
		o.list(k, len(v), func(i int) { o.b = appendString(o.b, v[i]) })
	}
}

// some appends a text, nothing if it is empty.
func (o *object) some(k, v string) {
	if v != "" {
		o.text(k, v)
	}
}
