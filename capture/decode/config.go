package decode

import (
	"errors"
	"fmt"
	"time"
)

// Config sets the limits of IP defragmentation and where encapsulations are looked
// for. The zero value of a field means its default.
type Config struct {
	// MaxDatagrams is the number of incomplete datagrams remembered at once; beyond
	// it the oldest is forgotten. Default 4,096.
	MaxDatagrams int
	// MaxBytes is the memory for fragments of incomplete datagrams, in bytes; beyond
	// it the oldest datagram is forgotten. Complete datagrams may take as much again
	// until Release. Default 16 MiB.
	MaxBytes int
	// Timeout is how long after its first fragment, in packet time, a datagram must be
	// complete (RFC 791 §3.2, RFC 8200 §4.5). Default 30 s.
	Timeout time.Duration
	// Dedup is how long after a packet, in packet time, the same packet is taken for a
	// copy of it, mirrored at another place, and left out as Duplicate. Default 0: all
	// copies count. DefaultDedup is a good value.
	Dedup time.Duration
	// UDPPorts are ports of encapsulations on UDP besides the registered ones, for
	// which an entry may also say otherwise. At most 64.
	UDPPorts []UDPPort
}

// UDPPort says that what is sent to a UDP port is an encapsulation.
type UDPPort struct {
	Port   uint16
	Tunnel Tunnel // one that UDPTunnels lists
}

const (
	minBytes = 128 << 10 // two of the largest datagrams
	maxBytes = 1 << 30

	maxUDPPorts = 64

	// maxDedup is below what hosts wait before they send the same again.
	maxDedup = 100 * time.Millisecond
)

func (c Config) withDefaults() Config {
	if c.MaxDatagrams == 0 {
		c.MaxDatagrams = 4096
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 16 << 20
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	return c
}

// Validate returns all that is wrong with c, nil if nothing is.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	if c.MaxDatagrams < 1 || c.MaxDatagrams > 1<<20 {
		errs = append(errs, fmt.Errorf("decode: fragmented datagrams must be 1 to %d, not %d", 1<<20, c.MaxDatagrams))
	}
	if c.MaxBytes < minBytes || c.MaxBytes > maxBytes {
		errs = append(errs, fmt.Errorf("decode: fragment memory must be %d to %d bytes, not %d", minBytes, maxBytes, c.MaxBytes))
	}
	if c.Timeout < 0 || c.Timeout > time.Hour {
		errs = append(errs, fmt.Errorf("decode: fragment timeout must be positive and at most 1h, not %v", c.Timeout))
	}
	if c.Dedup < 0 || c.Dedup > maxDedup {
		errs = append(errs, fmt.Errorf("decode: the window for copies of a packet must be 0 to %v, not %v", maxDedup, c.Dedup))
	}
	return errors.Join(append(errs, c.validatePorts())...)
}

func (c Config) validatePorts() error {
	if len(c.UDPPorts) > maxUDPPorts {
		return fmt.Errorf("decode: at most %d further UDP ports, not %d", maxUDPPorts, len(c.UDPPorts))
	}
	for _, p := range c.UDPPorts {
		if p.Port == 0 || udpReaderOf(p.Tunnel) == nil {
			return fmt.Errorf("decode: UDP port %d cannot carry %v: name a port and one of %v", p.Port, p.Tunnel, UDPTunnels())
		}
	}
	return nil
}
