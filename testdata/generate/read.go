package generate

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// source is what pcapgo's readers have in common.
type source interface {
	ReadPacketData() ([]byte, gopacket.CaptureInfo, error)
	LinkType() layers.LinkType
}

// decode reads a capture file with one link type: classic or pcapng, compressed with
// gzip or not. It fails on link types that gopacket does not know.
func decode(capture []byte) ([]frame, layers.LinkType, error) {
	capture, err := expand(capture)
	if err != nil {
		return nil, 0, err
	}
	if n := linkNumber(capture); n > math.MaxUint8 {
		return nil, 0, fmt.Errorf("reading the file header: link type %d cannot be rewritten", n)
	}
	from, err := open(capture)
	if err != nil {
		return nil, 0, fmt.Errorf("reading the file header: %w", err)
	}
	var frames []frame
	for {
		data, info, err := from.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return frames, from.LinkType(), nil
		}
		if err != nil {
			return nil, 0, fmt.Errorf("reading packet %d: %w", len(frames)+1, err)
		}
		frames = append(frames, frame{at: info.Timestamp, data: data, length: info.Length})
	}
}

// expand undoes gzip.
func expand(capture []byte) ([]byte, error) {
	if !bytes.HasPrefix(capture, []byte{0x1f, 0x8b}) {
		return capture, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(capture))
	if err != nil {
		return nil, fmt.Errorf("expanding the capture: %w", err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("expanding the capture: %w", err)
	}
	return plain, nil
}

// isNG reports whether a file begins with a pcapng section header.
func isNG(capture []byte) bool {
	return bytes.HasPrefix(capture, []byte{0x0a, 0x0d, 0x0d, 0x0a})
}

func open(capture []byte) (source, error) {
	if isNG(capture) {
		return pcapgo.NewNgReader(bytes.NewReader(capture), pcapgo.DefaultNgReaderOptions)
	}
	return pcapgo.NewReader(bytes.NewReader(capture))
}

// linkNumber returns the link type that the file says, which gopacket cuts to a byte;
// 0 if the file is too short.
func linkNumber(capture []byte) uint32 {
	if len(capture) < 24 {
		return 0
	}
	if !isNG(capture) {
		order := byteOrder(capture[0] == 0xa1)
		return order.Uint32(capture[20:])
	}
	order := byteOrder(capture[8] == 0x1a)
	section := uint64(order.Uint32(capture[4:]))
	if section+10 > uint64(len(capture)) {
		return 0
	}
	return uint32(order.Uint16(capture[section+8:]))
}

func byteOrder(big bool) binary.ByteOrder {
	if big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}
