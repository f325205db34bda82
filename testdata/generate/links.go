package generate

import "github.com/google/gopacket/layers"

// Wireless returns DNS questions in IEEE 802.11 frames behind radiotap, in each direction,
// one in a tunnel and one encrypted.
func Wireless() (*Capture, error) {
	const data, qos = 0x08, 0x88
	const toAccess, fromAccess, protected = 0x01, 0x02, 0x40
	gre := func(kind uint16, body []byte) (uint16, []byte) { return overIP(47, append(words16(0, kind), body...)) }
	t := newTrace(41)
	t.wrap([]wrapped{
		in("to-access-point", snap, dot11(data, toAccess)),
		in("from-access-point-qos", snap, dot11(qos, fromAccess, 0, 0)),
		in("between-stations", snap, dot11(data, 0)),
		in("four-addresses", snap, dot11(data, toAccess|fromAccess, 2, 0, 0, 0, 0, 4)),
		in6("ipv6", snap, dot11(data, toAccess)),
		in("gre-in-wlan", gre, snap, dot11(data, toAccess)),
		{name: "encrypted", shells: []shell{snap, dot11(data, toAccess|protected)}, hidden: true},
	}, bare)
	return t.finishOn(layers.LinkTypeIEEE80211Radio)
}

// dot11 puts what is wrapped behind a radiotap header without fields and an 802.11 header
// that ends in more.
func dot11(control, flags byte, more ...byte) shell {
	const sealedFlag = 0x40
	return func(_ uint16, body []byte) (uint16, []byte) {
		b := []byte{0, 0, 8, 0, 0, 0, 0, 0, control, flags, 0, 0}
		for i := range byte(3) {
			b = append(b, 2, 0, 0, 0, 0, i+1)
		}
		b = append(append(b, 0x50, 0), more...)
		if flags&sealedFlag != 0 {
			body = sealed(body)
		}
		return 0, append(b, body...)
	}
}

// Serial returns DNS questions in frames of a serial line: PPP, with its header as long
// and as short as it may be, and Cisco's kind; and a compressed frame.
func Serial() (*Capture, error) {
	gre := func(kind uint16, body []byte) (uint16, []byte) { return overIP(47, append(words16(0, kind), body...)) }
	t := newTrace(43)
	t.wrap([]wrapped{
		in("ppp", ppp),
		in6("ppp-ipv6", ppp),
		in("ppp-short", func(_ uint16, ip []byte) (uint16, []byte) { return 0, append([]byte{0x21}, ip...) }),
		in("mpls-in-ppp", mpls, ppp),
		in("gre-in-ppp", gre, ppp),
		in("hdlc", hdlc),
		in6("hdlc-ipv6", hdlc),
		in("gre-in-hdlc", gre, hdlc),
		{name: "compressed", hidden: true, shells: []shell{func(_ uint16, ip []byte) (uint16, []byte) {
			return 0, append(words16(0xff03, 0x00fd), sealed(ip)...)
		}}},
	}, bare)
	return t.finishOn(layers.LinkTypePPP_HDLC)
}

// hdlc is a frame of Cisco's kind to one station.
func hdlc(kind uint16, body []byte) (uint16, []byte) {
	return 0, append(words16(0x0f00, kind), body...)
}

// bare is for shells that give whole frames.
func bare(_ uint16, frame []byte) []byte { return frame }
