package decode

// view is the rest of a packet from some header on: the captured bytes, and how many
// there were on the wire. wire is never less than len(b).
type view struct {
	b    []byte
	wire int
}

// skip returns v behind its first n bytes, which must have been captured.
func (v view) skip(n int) view { return view{v.b[n:], v.wire - n} }

// resize returns v as n bytes on the wire, as a length field says; what was
// captured beyond them is padding.
func (v view) resize(n int) view { return view{v.b[:min(n, len(v.b))], n} }

// short says why a header of n bytes cannot be read from v: the enclosing length has
// no room for it, or it was not captured.
func (v view) short(n int) Reason {
	if v.wire < n {
		return BadHeader
	}
	return Truncated
}
