package generate

import (
	"time"

	"github.com/google/gopacket/layers"
)

// Mirrored returns the rounds of an installed product as a SPAN port delivers them that
// copies both what enters a router and what leaves it: every packet twice, first from
// VLAN 10 and then, 40 µs later, from VLAN 20, with the router's hardware address and one
// hop less.
func Mirrored() (*Capture, error) {
	once, err := Programs([]Program{{
		Names: []string{"s00.upd.kaspersky.com", "activation-v2.kaspersky.com"}, Agent: "KL/1.0",
	}}, 2, time.Hour, 19)
	if err != nil {
		return nil, err
	}
	frames, link, err := decode(once.PCAP)
	if err != nil {
		return nil, err
	}
	var all []frame
	for _, f := range frames {
		all = append(all, tagged(f, 10), routed(tagged(f, 20)))
	}
	inTime(all)
	file, err := encode(all, link)
	if err != nil {
		return nil, err
	}
	return &Capture{PCAP: file, Contacts: once.Contacts}, nil
}

// tagged returns f with an 802.1Q tag.
func tagged(f frame, vlan uint16) frame {
	const addresses = 12
	tag := []byte{0x81, 0, byte(vlan >> 8), byte(vlan)}
	data := append(append(append([]byte(nil), f.data[:addresses]...), tag...), f.data[addresses:]...)
	return frame{at: f.at, data: data, length: f.length + len(tag)}
}

// routed returns the tagged frame f of an IPv4 packet as it leaves a router.
func routed(f frame) frame {
	copy(f.data[6:12], hardware(router()))
	const header = 18
	ip := f.data[header:]
	ip[8]--
	ip[10], ip[11] = 0, 0
	sum := checksum(ip[:20], 0)
	ip[10], ip[11] = byte(sum>>8), byte(sum)
	f.at = f.at.Add(40 * time.Microsecond)
	return f
}

// Halved returns a DNS question over TCP whose packet comes in two IP fragments, the
// second one first, and one that comes whole.
func Halved() (*Capture, error) {
	t := newTrace(23)
	at := start()
	for i, name := range []string{"ksn-verdict-geo.kaspersky-labs.com", "www.kaspersky.com"} {
		d := t.dial(at.Add(time.Duration(i)*time.Second), endpoint{host(i), 0}, resolver())
		d.open()
		first := len(t.frames)
		d.send(t.questionOverTCP(name, uint16(i+1)))
		t.contact(host(i), "dns", name)
		if i == 0 {
			t.halve(first)
		}
		d.end()
	}
	return t.finish()
}

// halve puts two fragments in the place of the frame numbered n, the second one first.
func (t *trace) halve(n int) {
	const size = 48 // cuts the question's name
	pieces := locate(t.frames[n], layers.LinkTypeEthernet).fragment(t.frames[n], size, 77)
	if len(pieces) != 2 {
		panic("generate: a question is not two fragments of 48 bytes")
	}
	pieces[0].at = pieces[1].at.Add(10 * time.Microsecond)
	t.frames = append(t.frames[:n:n], append([]frame{pieces[1], pieces[0]}, t.frames[n+1:]...)...)
}
