package format

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"telltale/alert"
	"telltale/capture"
	"telltale/detect"
)

// fewFacts is how many facts stand in forms that people read in a column.
const fewFacts = 8

// factTexts returns the strongest facts as lines, with + for and - against.
func factTexts(f *detect.Finding) []string {
	var all []string
	for i := range f.Facts {
		if i == fewFacts {
			break
		}
		t := &f.Facts[i]
		sign := "+ "
		if t.Against {
			sign = "- "
		}
		line := sign + t.Text
		if t.Packet != 0 {
			line += " (packet " + strconv.FormatUint(t.Packet, 10) + ")"
		}
		all = append(all, line)
	}
	return all
}

// message is one line for people: what, on which host, and the strongest fact.
func message(a *alert.Alert) string {
	f := a.Finding
	if f == nil {
		return a.Title() + ": " + a.Text
	}
	var b strings.Builder
	b.WriteString(a.Title() + ": " + f.Host.Addr.String())
	if f.Host.Name != "" {
		b.WriteString(" (" + f.Host.Name + ")")
	}
	if len(f.Facts) > 0 {
		b.WriteString(", " + f.Facts[0].Text)
	}
	return b.String()
}

// epochText is the epoch of a's sequence, "" where there is none.
func epochText(a *alert.Alert) string {
	if a.Epoch == 0 {
		return ""
	}
	return strconv.FormatUint(a.Epoch, 10)
}

// named is a number with its name.
type named struct {
	name  string
	value uint64
}

// bookkeeping returns what heartbeats and gaps say, the most telling first.
func bookkeeping(a *alert.Alert) []named {
	if h := a.Heartbeat; h != nil {
		return []named{
			{"last_seq", h.LastSeq},
			{"alerts_dropped", h.AlertsDropped},
			{"packets_dropped", h.PacketsDropped},
			{"alerts_coalesced", h.AlertsCoalesced},
			{"packets", h.Packets},
		}
	}
	if g := a.Gap; g != nil {
		return []named{{"gap_first", g.First}, {"gap_last", g.Last}, {"gap_count", g.Count}}
	}
	return nil
}

func functionNames(f *detect.Finding) []string {
	all := make([]string, len(f.Functions))
	for i, fn := range f.Functions {
		all[i] = string(fn)
	}
	return all
}

func policyIDs(f *detect.Finding) []string {
	all := make([]string, len(f.Policies))
	for i, p := range f.Policies {
		all[i] = p.ID
	}
	return all
}

// rfc3339 returns a time to the millisecond, UTC.
func rfc3339(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.000Z") }

func millis(ns int64) int64 { return time.Unix(0, ns).UnixMilli() }

func asnText(n uint32) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(n), 10)
}

// fromHost says that the source of an event about f is the host itself: the client of its
// latest contact, or the host alone where there was none.
func fromHost(f *detect.Finding) bool {
	return !f.Contact.Server.IsValid() || f.Contact.Client.Addr() == f.Host.Addr
}

// macText is a hardware address in the colon form, "" where it is not known.
func macText(mac [6]byte) string {
	if mac == [6]byte{} {
		return ""
	}
	return string(capture.AppendMAC(nil, mac))
}

// application names the protocol above the transport, "" where it is not known.
func application(c *detect.Contact) string {
	if c.Proto == capture.ProtoNone || c.Proto == capture.ProtoFlow {
		return ""
	}
	return c.Proto.String()
}

// isAddress says that a name is an IP address, as the Host of a request may be.
func isAddress(name string) bool {
	_, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil
}

// transport names the protocols that have ports, "" for others.
func transport(p uint8) string {
	switch p {
	case 6:
		return "tcp"
	case 17:
		return "udp"
	}
	return ""
}

func ipVersion(c *detect.Contact) uint64 {
	if c.Server.Addr().Is4() {
		return 4
	}
	return 6
}
