package pcapfile

import (
	"slices"
	"sync"

	"telltale/capture"
)

// FileInfo tells of one input.
type FileInfo struct {
	Path        string             // as found, "-" for standard input
	Size        int64              // bytes as stored, -1 if unknown
	Format      string             // "pcap", "pcap-ns", "pcap-modified" or "pcapng"
	Compression string             // "", "gzip" or "zstd"
	Packets     uint64             // packets read so far, those outside the time range too
	Bytes       uint64             // captured bytes of those packets
	First, Last int64              // earliest and latest time of a packet, ns since 1970 UTC; valid if Packets > 0
	Links       []capture.LinkType // link types of the packets, in order of appearance
	Done        bool               // whether it has been read to its end or to Err
	Err         *FileError         // what is wrong with it, nil if nothing
}

// progress keeps the FileInfo of an input that is being read.
type progress struct {
	mu   sync.Mutex
	info FileInfo // Path and Size never change
}

func (g *progress) opened(format, compression string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.info.Format, g.info.Compression = format, compression
}

// add counts packets and returns the latest of their times.
func (g *progress) add(packets []capture.Packet) int64 {
	first, last, bytes := packets[0].Time, packets[0].Time, uint64(0)
	link := packets[0].Link
	g.mu.Lock()
	defer g.mu.Unlock()
	g.link(link)
	for i := range packets {
		p := &packets[i]
		first, last = min(first, p.Time), max(last, p.Time)
		bytes += uint64(len(p.Data))
		if p.Link != link {
			link = p.Link
			g.link(link)
		}
	}
	if g.info.Packets == 0 {
		g.info.First, g.info.Last = first, last
	}
	g.info.First, g.info.Last = min(g.info.First, first), max(g.info.Last, last)
	g.info.Packets += uint64(len(packets))
	g.info.Bytes += bytes
	return last
}

// maxLinks bounds the list of link types; a real capture has one or two.
const maxLinks = 16

func (g *progress) link(link capture.LinkType) {
	if len(g.info.Links) < maxLinks && !slices.Contains(g.info.Links, link) {
		g.info.Links = append(g.info.Links, link)
	}
}

// restart forgets the packets.
func (g *progress) restart() {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := &g.info
	i.Packets, i.Bytes, i.First, i.Last, i.Links = 0, 0, 0, 0, nil
}

func (g *progress) finished(e *FileError) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.info.Done, g.info.Err = true, e
}

// get returns a copy that stays as it is.
func (g *progress) get() FileInfo {
	g.mu.Lock()
	defer g.mu.Unlock()
	info := g.info
	info.Links = slices.Clone(info.Links)
	return info
}
