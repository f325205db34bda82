package decode

// dot11 is an IEEE 802.11 data frame in the clear.
type dot11 struct {
	src, dst   [6]byte
	body       view
	aggregated bool // body is a row of frames (A-MSDU)
}

// dot11Form says how the header of an 802.11 frame was captured.
type dot11Form struct {
	padded  bool // filled up to a multiple of four bytes
	swapped bool // 16-bit words in the other byte order
}

// parseDot11 reads a frame header (IEEE 802.11 §9.2, §9.3.2). Later fragments, frames
// without data and those that are encrypted have a reason instead.
func parseDot11(v view, form dot11Form) (dot11, Reason) {
	const (
		shortest  = 10 // of a control frame
		header    = 24
		version   = 0x03
		kind      = 0x0c
		data      = 0x08
		noData    = 0x40
		protected = 0x40 // in the second byte
	)
	if len(v.b) < shortest {
		return dot11{}, v.short(shortest)
	}
	control, flags := v.b[0], v.b[1]
	if form.swapped {
		control, flags = flags, control
	}
	switch {
	case control&version != 0:
		return dot11{}, BadHeader
	case control&kind != data || control&noData != 0:
		return dot11{}, NotIP
	case flags&protected != 0:
		return dot11{}, EncapsulatedWLAN
	case len(v.b) < header:
		return dot11{}, v.short(header)
	case v.b[22]&0x0f != 0 && !form.swapped:
		return dot11{}, FragmentDropped
	}
	return dot11Body(v, control, flags, form)
}

// dot11Body passes the header of a data frame. Which address is which depends on
// whether the frame goes to or comes from the distribution system (§9.3.2.1).
func dot11Body(v view, control, flags uint8, form dot11Form) (dot11, Reason) {
	const (
		toDS, fromDS = 0x01, 0x02
		order        = 0x80
		qos          = 0x80 // in the first byte
		aggregate    = 0x80 // in the QoS field
	)
	n, qosAt := 24, 0
	if flags&(toDS|fromDS) == toDS|fromDS {
		n += 6
	}
	if control&qos != 0 {
		qosAt = n
		n += 2
		if flags&order != 0 {
			n += 4
		}
	}
	if form.padded {
		n = (n + 3) &^ 3
	}
	b := v.b
	if len(b) < n {
		return dot11{}, v.short(n)
	}
	f := dot11{dst: [6]byte(b[4:]), src: [6]byte(b[10:]), body: v.skip(n)}
	f.aggregated = qosAt != 0 && b[qosAt]&aggregate != 0
	if flags&toDS != 0 {
		f.dst = [6]byte(b[16:])
	}
	switch flags & (toDS | fromDS) {
	case fromDS:
		f.src = [6]byte(b[16:])
	case toDS | fromDS:
		f.src = [6]byte(b[24:])
	}
	return f, OK
}

// dot11 reads an 802.11 frame; of a row of frames, the first.
func (d *Decoder) dot11(s *Segment, v view, form dot11Form) Reason {
	const snap = 8
	f, r := parseDot11(v, form)
	if r != OK {
		return r
	}
	if f.aggregated {
		return readEthernet(d, s, f.body) // the same layout, with a length for the type
	}
	s.SrcMAC, s.DstMAC = f.src, f.dst
	t, inner := unwrapLLC(f.body)
	if t == 0 {
		if len(f.body.b) < min(snap, f.body.wire) {
			return Truncated
		}
		return NotIP
	}
	return d.network(s, t, inner)
}

// plausibleDot11 says whether v begins with a data frame of a known EtherType.
func plausibleDot11(v view, form dot11Form) bool {
	f, r := parseDot11(v, form)
	if r != OK {
		return false
	}
	if f.aggregated {
		return plausibleFrame(f.body)
	}
	t, inner := unwrapLLC(f.body)
	return t != 0 && plausibleEther(t, inner)
}
