package proto

import "bytes"

// xmlScanner walks over the elements of a small XML document. It knows no entities,
// no comments and no nesting: enough for messages that devices make by a template, and
// it cannot be made to do more than one pass.
type xmlScanner struct{ b []byte }

// next returns the local name and the text of the next element that begins, up to
// the next tag; false at the end.
func (x *xmlScanner) next() (name, text []byte, ok bool) {
	for {
		at := bytes.IndexByte(x.b, '<')
		if at < 0 {
			return nil, nil, false
		}
		x.b = x.b[at+1:]
		end := bytes.IndexByte(x.b, '>')
		if end < 0 {
			return nil, nil, false
		}
		tag := x.b[:end]
		x.b = x.b[end+1:]
		if len(tag) == 0 || tag[0] == '/' || tag[0] == '?' || tag[0] == '!' {
			continue
		}
		if next := bytes.IndexByte(x.b, '<'); next >= 0 {
			text = x.b[:next]
		}
		return xmlLocal(tag), identityTrim(text), true
	}
}

// xmlLocal returns the name in a tag without prefix and attributes.
func xmlLocal(tag []byte) []byte {
	if n := bytes.IndexAny(tag, " \t\r\n/"); n >= 0 {
		tag = tag[:n]
	}
	if n := bytes.IndexByte(tag, ':'); n >= 0 {
		tag = tag[n+1:]
	}
	return tag
}
