package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/miekg/dns"

	"telltale/capture"
	"telltale/capture/pcapfile"
)

// packetCmd shows what a fact points to. It is for people: other decoders than the ones
// that judged, so that a reader need not trust those.
type packetCmd struct {
	Number    uint64   `arg:"" help:"Place of the packet in the stream, as facts and observations give it."`
	Captures  []string `arg:"" name:"capture" help:"The captures, as they were given to replay or observe."`
	Recursive bool     `short:"r" help:"Descend into directories."`
}

// Run prints one packet's layers.
func (c *packetCmd) Run(e *env) error {
	src, err := pcapfile.Open(pcapfile.Config{Paths: c.Captures, Stdin: e.stdin, Recursive: c.Recursive})
	if err != nil {
		return fmt.Errorf("opening captures: %w", err)
	}
	defer func() { _ = src.Close() }()
	p, err := nth(src, c.Number)
	if err != nil {
		return err
	}
	b := &strings.Builder{}
	fmt.Fprintf(b, "packet %d, %s, %d of %d bytes, link type %s\n", p.Ordinal,
		time.Unix(0, p.Time).UTC().Format("2006-01-02 15:04:05.000000000"), len(p.Data), p.Length, p.Link)
	b.WriteString(printable(dissect(p)))
	return e.print(b)
}

// nth returns the packet with that number.
func nth(src capture.Source, number uint64) (*capture.Packet, error) {
	var b capture.Batch
	for {
		err := src.Next(&b)
		if errors.Is(err, io.EOF) {
			return nil, usage(fmt.Errorf("there is no packet %d: the captures hold %d", number, src.Stats().Packets))
		}
		if err != nil {
			return nil, fmt.Errorf("reading packets: %w", err)
		}
		for i := range b.Packets {
			if b.Packets[i].Ordinal == number {
				return &b.Packets[i], nil
			}
		}
	}
}

// linkTypes maps our link types to gopacket's where the numbers differ or do not fit.
var linkTypes = map[capture.LinkType]gopacket.Decoder{
	capture.LinkRawOld: layers.LinkTypeRaw, capture.LinkRawBSD: layers.LinkTypeRaw,
	capture.LinkIPv4: layers.LayerTypeIPv4, capture.LinkIPv6: layers.LayerTypeIPv6,
}

// dissect returns the packet as gopacket reads it, and its DNS message as miekg/dns
// does. Both can fail on hostile bytes in ways of their own; what they said until then
// is lost, never the program.
func dissect(p *capture.Packet) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprintf("the packet cannot be shown: its decoder gave up (%v)\n", r)
		}
	}()
	var first gopacket.Decoder = linkTypes[p.Link]
	if first == nil && p.Link < 256 {
		first = layers.LinkType(p.Link)
	}
	if first == nil {
		return fmt.Sprintf("link type %s is not known here\n", p.Link)
	}
	packet := gopacket.NewPacket(p.Data, first, gopacket.DecodeOptions{NoCopy: true})
	text = packet.Dump()
	if msg := question(packet); msg != nil {
		text += "DNS message\n" + msg.String()
	}
	return text
}

// question returns the DNS message of a packet on a port of DNS, nil if there is none.
func question(packet gopacket.Packet) *dns.Msg {
	var payload []byte
	switch t := packet.TransportLayer().(type) {
	case *layers.UDP:
		if isDNSPort(uint16(t.SrcPort)) || isDNSPort(uint16(t.DstPort)) {
			payload = t.Payload
		}
	case *layers.TCP:
		if (isDNSPort(uint16(t.SrcPort)) || isDNSPort(uint16(t.DstPort))) && len(t.Payload) > 2 {
			payload = t.Payload[2:]
		}
	}
	m := new(dns.Msg)
	if len(payload) == 0 || m.Unpack(payload) != nil {
		return nil
	}
	return m
}

func isDNSPort(p uint16) bool { return p == 53 || p == 5353 || p == 5355 }
