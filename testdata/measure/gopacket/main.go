// Command gopacket reads a network interface with gopacket's AF_PACKET reader, without
// copies, and decodes the headers of each packet with its fastest decoder: what capture
// in Go costs otherwise. testdata/measure runs it beside Telltale.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/afpacket"
	"github.com/gopacket/gopacket/layers"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: gopacket INTERFACE MIB")
		os.Exit(2)
	}
	mib, err := strconv.Atoi(os.Args[2])
	if err == nil {
		err = read(os.Args[1], mib)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gopacket:", err)
		os.Exit(1)
	}
}

// read reads until SIGTERM and says what it has seen.
func read(name string, mib int) error {
	const block = 256 << 10
	ring, err := afpacket.NewTPacket(afpacket.OptInterface(name), afpacket.TPacketVersion3,
		afpacket.OptFrameSize(block), afpacket.OptBlockSize(block), afpacket.OptNumBlocks(mib<<20/block),
		afpacket.OptBlockTimeout(20*time.Millisecond), afpacket.OptPollTimeout(100*time.Millisecond))
	if err != nil {
		return err
	}
	defer ring.Close()
	var stop atomic.Bool
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	go func() { <-term; stop.Store(true) }()
	var (
		eth     layers.Ethernet
		tag     layers.Dot1Q
		four    layers.IPv4
		six     layers.IPv6
		tcp     layers.TCP
		udp     layers.UDP
		decoded []gopacket.LayerType
	)
	parser := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &eth, &tag, &four, &six, &tcp, &udp)
	parser.IgnoreUnsupported = true
	fmt.Fprintln(os.Stderr, "listening on", name)
	packets := 0
	for !stop.Load() {
		data, _, err := ring.ZeroCopyReadPacketData()
		if errors.Is(err, afpacket.ErrTimeout) {
			continue
		}
		if err != nil {
			return err
		}
		packets++
		_ = parser.DecodeLayers(data, &decoded) // what it cannot decode is of no interest here
	}
	_, stats, err := ring.SocketStats()
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d packets, %d dropped\n", packets, stats.Drops())
	return nil
}
