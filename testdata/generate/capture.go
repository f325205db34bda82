package generate

import (
	"bytes"
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// Capture is what a generator made, with what must be found in it.
type Capture struct {
	// PCAP is a capture file in the classic format: little-endian, microseconds,
	// Ethernet unless its maker says otherwise.
	PCAP []byte
	// Contacts are in order of client, protocol and name, each once.
	Contacts []Contact
}

// Contact says that a client asked for, or talked to, a name.
type Contact struct {
	Client   netip.Addr
	Protocol string // dns, tls, http
	Name     string
}

// snapLength is the longest packet of the files written, in bytes.
const snapLength = 262144

// frame is one packet of a capture.
type frame struct {
	at     time.Time
	data   []byte
	length int // on the wire, bytes
}

// encode writes frames as a classic capture file, in the order given.
func encode(frames []frame, link layers.LinkType) ([]byte, error) {
	size := 24
	for _, f := range frames {
		size += 16 + len(f.data)
	}
	out := bytes.NewBuffer(make([]byte, 0, size))
	w := pcapgo.NewWriter(out)
	if err := w.WriteFileHeader(snapLength, link); err != nil {
		return nil, fmt.Errorf("writing the file header: %w", err)
	}
	for i, f := range frames {
		info := gopacket.CaptureInfo{Timestamp: f.at, CaptureLength: len(f.data), Length: f.length}
		if err := w.WritePacket(info, f.data); err != nil {
			return nil, fmt.Errorf("writing packet %d: %w", i+1, err)
		}
	}
	return out.Bytes(), nil
}

// inTime sorts frames by time; those of one time keep their order.
func inTime(frames []frame) {
	slices.SortStableFunc(frames, func(a, b frame) int { return a.at.Compare(b.at) })
}

// distinct sorts contacts and leaves one of each.
func distinct(contacts []Contact) []Contact {
	slices.SortFunc(contacts, func(a, b Contact) int {
		return cmp.Or(a.Client.Compare(b.Client), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Name, b.Name))
	})
	return slices.Compact(contacts)
}
