package importer

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"telltale/feeds"
)

var _ = register(Format{
	Name: "rpz", Help: "DNS response policy zone in master-file form", Order: 40,
	Reach: feeds.ReachExact,
	looks: func(h *head) bool {
		return h.any(func(l string) bool {
			return strings.HasPrefix(l, "$TTL") || strings.HasPrefix(l, "$ORIGIN") || isSOA(l)
		})
	},
	read: readRPZ,
})

func isSOA(line string) bool {
	f := strings.Fields(line)
	for i, w := range f {
		if w == "SOA" {
			return i > 0 && len(f) > i+2
		}
	}
	return false
}

// rpzOrigin stands for the name of a zone that does not tell it.
const rpzOrigin = "rpz.invalid."

// zoneReader gives the zone parser its bytes and knows the line, so that reading goes
// on behind a record that is in error.
type zoneReader struct {
	in   *input
	line int
	last byte
}

// Read is there for the parser's signature; it reads byte by byte.
func (z *zoneReader) Read([]byte) (int, error) { return 0, errors.ErrUnsupported }

// ReadByte implements io.ByteReader.
func (z *zoneReader) ReadByte() (byte, error) {
	b, err := z.in.r.ReadByte()
	if err != nil {
		z.in.fail(err)
		return 0, io.EOF
	}
	if z.last == '\n' || z.line == 0 {
		z.line++
	}
	z.last = b
	return b, nil
}

// skipLine goes on to the next line.
func (z *zoneReader) skipLine() bool {
	for z.last != '\n' {
		if _, err := z.ReadByte(); err != nil {
			return false
		}
	}
	return z.in.err == nil
}

// readRPZ takes the triggers by name and by answered address.
func readRPZ(in *input, out *sink) error {
	z, apex := &zoneReader{in: in}, rpzOrigin
	for in.err == nil {
		p := dns.NewZoneParser(z, apex, "")
		p.SetDefaultTTL(60)
		for !out.full() {
			rr, ok := p.Next()
			if !ok {
				break
			}
			if rr.Header().Rrtype == dns.TypeSOA {
				apex = rr.Header().Name
			}
			trigger(z.line, rr, apex, out)
		}
		in.line = z.line
		if p.Err() == nil || out.full() {
			break
		}
		_, text, _ := strings.Cut(p.Err().Error(), "dns: ")
		text, _, _ = strings.Cut(text, " at line: ")
		out.bad(z.line, "no record: %s", text)
		if !z.skipLine() {
			break
		}
	}
	return nil
}

// trigger takes one record of the zone.
func trigger(line int, rr dns.RR, apex string, out *sink) {
	h := rr.Header()
	owner, inside := strings.CutSuffix(h.Name, "."+apex)
	switch {
	case h.Name == apex || h.Rrtype == dns.TypeSOA || h.Rrtype == dns.TypeNS:
		return
	case !inside:
		out.bad(line, "%q lies outside the zone %s", h.Name, apex)
		return
	}
	if c, ok := rr.(*dns.CNAME); ok && (c.Target == "rpz-passthru." || c.Target == "rpz-tcp-only." || c.Target == h.Name) {
		out.skip("exceptions")
		return
	}
	switch i := strings.LastIndexByte(owner, '.'); owner[i+1:] {
	case "rpz-ip":
		p, err := rpzPrefix(owner[:max(i, 0)])
		if err != nil {
			out.bad(line, "%q: %v", owner, err)
			return
		}
		out.prefix(line, p)
	case "rpz-client-ip", "rpz-nsip", "rpz-nsdname":
		out.skip("triggers by client or name server")
	default:
		if rest, ok := strings.CutPrefix(owner, "*."); ok {
			out.name(line, []byte(rest), feeds.ReachBelow)
			return
		}
		out.name(line, []byte(owner), out.reach)
	}
}

// rpzPrefix reads "24.0.2.0.192", or "128.1.zz.db8.2001" where zz stands for "::".
func rpzPrefix(s string) (netip.Prefix, error) {
	parts := strings.Split(s, ".")
	bits, err := strconv.Atoi(parts[0])
	if err != nil || len(parts) < 3 {
		return netip.Prefix{}, errors.New("no address trigger: write it like 24.0.2.0.192.rpz-ip")
	}
	text := ""
	for i := len(parts) - 1; i > 0; i-- {
		text += parts[i]
		if i > 1 {
			text += "."
		}
	}
	if len(parts) != 5 || strings.Contains(s, "zz") {
		text = strings.ReplaceAll(strings.ReplaceAll(text, ".", ":"), "zz", "")
		text = strings.ReplaceAll(text, ":::", "::")
		if strings.HasPrefix(text, ":") && !strings.HasPrefix(text, "::") {
			text = ":" + text
		}
		if strings.HasSuffix(text, ":") && !strings.HasSuffix(text, "::") {
			text += ":"
		}
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("reading the address: %w", err)
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("reading the prefix: %w", err)
	}
	return p, nil
}
