package proto

import "bytes"

// jsonScanner walks over the members of all objects of a JSON text (RFC 8259), of
// whatever depth, whose value is a string or a number. Strings are taken as they
// stand, escapes are not undone.
type jsonScanner struct{ b []byte }

// next returns the name and value of the next such member; false at the end.
func (j *jsonScanner) next() (name, value []byte, ok bool) {
	for {
		if name, ok = j.text(); !ok {
			return nil, nil, false
		}
		if !j.after(':') {
			continue // a string in a list
		}
		j.blanks()
		if len(j.b) > 0 && j.b[0] == '"' {
			value, ok = j.text()
			return name, value, ok
		}
		n := 0
		for n < len(j.b) && (j.b[n] == '-' || j.b[n] == '.' || '0' <= j.b[n] && j.b[n] <= '9') {
			n++
		}
		if n > 0 {
			value, j.b = j.b[:n], j.b[n:]
			return name, value, true
		}
	}
}

// text passes everything up to the next string and returns that.
func (j *jsonScanner) text() ([]byte, bool) {
	at := bytes.IndexByte(j.b, '"')
	if at < 0 {
		return nil, false
	}
	j.b = j.b[at+1:]
	for n := 0; n < len(j.b); n++ {
		switch j.b[n] {
		case '\\':
			n++
		case '"':
			s := j.b[:n]
			j.b = j.b[n+1:]
			return s, true
		}
	}
	return nil, false
}

// after passes c if it is next, blanks apart.
func (j *jsonScanner) after(c byte) bool {
	j.blanks()
	if len(j.b) == 0 || j.b[0] != c {
		return false
	}
	j.b = j.b[1:]
	return true
}

func (j *jsonScanner) blanks() {
	for len(j.b) > 0 && httpIsBlank(j.b[0]) {
		j.b = j.b[1:]
	}
}
