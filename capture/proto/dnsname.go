package proto

const (
	dnsMaxName = 255 // bytes on the wire with the root label, RFC 1035 §2.3.4
	// dnsMaxHops bounds the compression pointers followed for one name: a name of
	// one-byte labels, each behind a pointer, needs no more.
	dnsMaxHops = 126
)

// dnsKnownName is a name by the offset of its first label.
type dnsKnownName struct {
	off  int
	name []byte // nil in an unused entry
}

// dnsFold maps the bytes of a label that stand for themselves to their lower case,
// the others to 0. It is never written.
var dnsFold = dnsFoldTable()

func dnsFoldTable() (t [256]byte) {
	for c := byte(0x21); c <= 0x7e; c++ {
		if c != '.' && c != '\\' {
			t[c] = nameAppendByte(nil, c)[0]
		}
	}
	return t
}

// name reads the name at off into its canonical form. end is the offset of what
// follows it.
func (m *dnsMessage) name(off int) (name []byte, end int, ok bool) {
	start := off
	if off+2 <= len(m.b) && m.b[off] >= 0xc0 {
		start = dnsPointer(m.b, off)
		if name = m.recall(start); name != nil {
			return name, off + 2, true
		}
	}
	size, end, ok := dnsScanName(m.b, off)
	if !ok {
		return nil, off, false
	}
	name = m.canonical(start, size)
	m.known[m.nextKnown] = dnsKnownName{start, name}
	m.nextKnown = (m.nextKnown + 1) % len(m.known)
	return name, end, true
}

func (m *dnsMessage) recall(off int) []byte {
	for i := range m.known {
		if m.known[i].off == off {
			return m.known[i].name
		}
	}
	return nil
}

func dnsPointer(b []byte, off int) int { return int(b[off]&0x3f)<<8 | int(b[off+1]) }

// dnsScanName checks the name at off. size is its length on the wire when
// decompressed, without the root label.
func dnsScanName(b []byte, off int) (size, end int, ok bool) {
	for hops := 0; off < len(b); {
		c := int(b[off])
		switch {
		case c == 0:
			if end == 0 {
				end = off + 1
			}
			return size, end, true
		case c < 0x40:
			off += 1 + c
			if size += 1 + c; size >= dnsMaxName {
				return 0, 0, false
			}
		case c >= 0xc0 && off+1 < len(b) && hops < dnsMaxHops:
			if end == 0 {
				end = off + 2
			}
			off = dnsPointer(b, off)
			hops++
		default: // label types that were never used (RFC 6891 §5), cut or circling pointer
			return 0, 0, false
		}
	}
	return 0, 0, false
}

// canonical writes the name at off, which dnsScanName found to be of the given size,
// into the log's memory.
func (m *dnsMessage) canonical(off, size int) []byte {
	if size == 0 {
		root := m.log.Bytes(1)
		root[0] = '.'
		return root
	}
	dst := m.log.Bytes(size - 1)
	for i := 0; ; {
		label, next := dnsLabel(m.b, off)
		if label == nil {
			return dst
		}
		if i > 0 {
			dst[i] = '.'
			i++
		}
		part := dst[i : i+len(label)]
		for j, c := range label {
			if part[j] = dnsFold[c]; part[j] == 0 {
				return m.canonicalEscaped(off, dst[:i])
			}
		}
		i += len(label)
		off = next
	}
}

// canonicalEscaped writes a name in which some bytes need an escape; written is what
// stands before the label at off.
func (m *dnsMessage) canonicalEscaped(off int, written []byte) []byte {
	var buf [4 * dnsMaxName]byte
	dst := append(buf[:0], written...)
	for {
		label, next := dnsLabel(m.b, off)
		if label == nil {
			return m.log.Copy(dst)
		}
		if n := len(dst); n > 0 && n != len(written) {
			dst = append(dst, '.')
		}
		dst = nameAppendLabel(dst, label)
		off = next
	}
}

// dnsLabel returns the label at off, behind pointers if need be, and the offset of
// the next; nil at the root. The name must have passed dnsScanName.
func dnsLabel(b []byte, off int) (label []byte, next int) {
	for b[off] >= 0xc0 {
		off = dnsPointer(b, off)
	}
	n := int(b[off])
	if n == 0 {
		return nil, off
	}
	next = off + 1 + n
	return b[off+1 : next], next
}

// dnsSkipName returns the offset of what follows the name at off without looking at
// the name itself.
func dnsSkipName(b []byte, off int) (end int, ok bool) {
	for off < len(b) {
		switch c := int(b[off]); {
		case c == 0:
			return off + 1, true
		case c < 0x40:
			off += 1 + c
		case c >= 0xc0:
			return off + 2, off+2 <= len(b)
		default:
			return off, false
		}
	}
	return off, false
}
