package filter

import (
	"bytes"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"telltale/capture"
	"telltale/capture/decode"
)

// dltNames are the names tcpdump has for link types.
var dltNames = map[capture.LinkType]string{
	capture.LinkEthernet: "EN10MB", capture.LinkRaw: "RAW", capture.LinkSLL: "LINUX_SLL", capture.LinkSLL2: "LINUX_SLL2",
}

// libpcap compiles an expression with libpcap's own compiler. A nil program without
// error rejects every packet.
func libpcap(expression string, link capture.LinkType) (Program, error) {
	var stderr bytes.Buffer
	cmd := exec.Command("tcpdump", "-ddd", "-n", "-y", dltNames[link], "--", expression)
	cmd.Args = append([]string{"tcpdump", "-ddd", "-n", "-y", dltNames[link]}, expression)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if strings.Contains(stderr.String(), "expression rejects all packets") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("tcpdump -ddd %q: %w: %s", expression, err, stderr.String())
	}
	return ReadProgram(bytes.NewReader(out))
}

func needTcpdump(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Skip("NOT COMPARED WITH LIBPCAP: no tcpdump here; install it (apt-get install tcpdump)")
	}
	if _, err := libpcap("ip", capture.LinkEthernet); err != nil {
		t.Skipf("NOT COMPARED WITH LIBPCAP: this tcpdump compiles nothing without a device: %v", err)
	}
}

// comparable returns the packets of link types that tcpdump compiles for and that
// have no VLAN tag, since there the meaning differs on purpose.
func comparablePackets(t *testing.T) []capture.Packet {
	t.Helper()
	var all []capture.Packet
	for _, p := range sharedPackets(t, 300) {
		if dltNames[p.Link] != "" && !tagged(&p) {
			all = append(all, p)
		}
	}
	return all
}

func tagged(p *capture.Packet) bool {
	at := map[capture.LinkType]int{capture.LinkEthernet: 12, capture.LinkSLL: 14, capture.LinkSLL2: 0, capture.LinkRaw: -1}[p.Link]
	if at < 0 || len(p.Data) < at+2 {
		return false
	}
	t := uint16(p.Data[at])<<8 | uint16(p.Data[at+1])
	return t == etherVLAN || t == etherQinQ || t == etherOldQ
}

// disagreement returns a packet on which ours and libpcap's program differ.
func disagreement(expression string, packets []capture.Packet) error {
	f, err := Parse(expression)
	if err != nil {
		return fmt.Errorf("not accepted: %w", err)
	}
	programs := map[capture.LinkType][2]Program{}
	for i := range packets {
		p := &packets[i]
		pair, ok := programs[p.Link]
		if !ok {
			if pair[0], err = f.Program(p.Link, false); err != nil {
				continue // hardware addresses where there are none
			}
			if pair[1], err = libpcap(expression, p.Link); err != nil {
				return err
			}
			programs[p.Link] = pair
		}
		ours, theirs := pair[0].Match(p.Data, p.Length, 0), pair[1].Match(p.Data, p.Length, 0)
		if ours != theirs {
			return fmt.Errorf("%q: packet of %s: ours %v, libpcap %v: % x", expression, p.Link, ours, theirs, p.Data[:min(len(p.Data), 80)])
		}
	}
	return nil
}

// TestUsualAgainstLibpcap compares the verdicts on every usual expression.
func TestUsualAgainstLibpcap(t *testing.T) {
	needTcpdump(t)
	packets := comparablePackets(t)
	for _, c := range usual {
		if c.refused != "" || strings.Contains(c.expression, "vlan") || strings.HasPrefix(c.expression, "ip proto g") {
			continue
		}
		if err := disagreement(c.expression, packets); err != nil {
			t.Error(err)
		}
	}
}

// TestExpressionsAgainstLibpcap compares verdicts on generated expressions whose
// values come from the packets.
func TestExpressionsAgainstLibpcap(t *testing.T) {
	needTcpdump(t)
	packets := comparablePackets(t)
	v := valuesOf(packets)
	rapid.Check(t, func(rt *rapid.T) {
		expression := v.expression(rt, 3)
		at := rapid.IntRange(0, len(packets)-1).Draw(rt, "from")
		some := packets[at:min(at+2000, len(packets))]
		if err := disagreement(expression, some); err != nil {
			rt.Error(err)
		}
	})
}

// values are what expressions can ask for with a chance to find it.
type valuesIn struct {
	addrs []netip.Addr
	ports []uint16
	macs  []string
}

func valuesOf(packets []capture.Packet) valuesIn {
	var v valuesIn
	d := decode.New(decode.Config{})
	var s decode.Segment
	for i := range packets {
		if i%7 != 0 || d.Decode(&packets[i], &s) != decode.OK {
			continue
		}
		v.addrs = append(v.addrs, netip.AddrFrom16(s.Src).Unmap(), netip.AddrFrom16(s.Dst).Unmap())
		v.ports = append(v.ports, s.SrcPort, s.DstPort)
		v.macs = append(v.macs, fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", s.SrcMAC[0], s.SrcMAC[1], s.SrcMAC[2], s.SrcMAC[3], s.SrcMAC[4], s.SrcMAC[5]))
	}
	return v
}

func (v *valuesIn) expression(t *rapid.T, depth int) string {
	if depth == 0 {
		return v.primitive(t)
	}
	switch rapid.IntRange(0, 5).Draw(t, "shape") {
	case 0:
		return "not " + v.expression(t, depth-1)
	case 1, 2:
		return "(" + v.expression(t, depth-1) + " " + rapid.SampledFrom([]string{"and", "or", "&&", "||"}).Draw(t, "join") + " " + v.expression(t, depth-1) + ")"
	case 3:
		return v.expression(t, depth-1) + rapid.SampledFrom([]string{" and ", " or "}).Draw(t, "join") + v.expression(t, depth-1)
	}
	return v.primitive(t)
}

func (v *valuesIn) primitive(t *rapid.T) string {
	dir := rapid.SampledFrom([]string{"", "src ", "dst ", "src or dst ", "src and dst "}).Draw(t, "dir")
	a := rapid.SampledFrom(v.addrs).Draw(t, "addr")
	p := rapid.SampledFrom(v.ports).Draw(t, "port")
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0:
		return rapid.SampledFrom([]string{"ip", "ip6", "arp", "tcp", "udp", "icmp", "icmp6", "sctp", "igmp", "esp", "ah", "rarp", "ip multicast", "ip6 multicast"}).Draw(t, "word")
	case 1:
		return dir + "host " + a.String()
	case 2:
		pre, _ := a.Prefix(rapid.IntRange(0, a.BitLen()).Draw(t, "bits"))
		return dir + "net " + pre.String()
	case 3:
		return rapid.SampledFrom([]string{"", "tcp ", "udp ", "sctp "}).Draw(t, "proto") + dir + fmt.Sprintf("port %d", p)
	case 4:
		return rapid.SampledFrom([]string{"", "tcp ", "udp "}).Draw(t, "proto") + dir + fmt.Sprintf("portrange %d-%d", p, min(int(p)+rapid.IntRange(0, 2000).Draw(t, "more"), 65535))
	case 5:
		return rapid.SampledFrom([]string{"", "ip ", "ip6 "}).Draw(t, "proto") + fmt.Sprintf("proto %d", rapid.SampledFrom([]int{1, 2, 4, 6, 17, 41, 44, 47, 58, 132}).Draw(t, "number"))
	case 6:
		return rapid.SampledFrom([]string{"less", "greater"}).Draw(t, "less") + fmt.Sprintf(" %d", rapid.IntRange(0, 1600).Draw(t, "length"))
	}
	return fmt.Sprintf("port %d or %d", p, rapid.SampledFrom(v.ports).Draw(t, "other"))
}
