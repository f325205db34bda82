package stream

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// socketDrops returns how many datagrams found the buffer of the sockets bound to local
// full, by /proc/net; 0 where there is none.
func socketDrops(protocol uint8, local netip.AddrPort) uint64 {
	names, port := []string{"udp", "udp6"}, fmt.Sprintf(":%04X", local.Port())
	if protocol != protocolUDP {
		names, port = []string{"raw", "raw6"}, fmt.Sprintf(":%04X", protocol)
	}
	var sum uint64
	for _, n := range names {
		f, err := os.Open("/proc/net/" + n)
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			fields := strings.Fields(lines.Text())
			if len(fields) < 3 || !strings.HasSuffix(fields[1], port) {
				continue
			}
			n, err := strconv.ParseUint(fields[len(fields)-1], 10, 64) // the column drops
			if err == nil {
				sum += n
			}
		}
		_ = f.Close()
	}
	return sum
}
