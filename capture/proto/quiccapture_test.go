package proto

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/gopacket/layers"

	"telltale/capture"
)

// quicFindHellos feeds every direction of every UDP flow to a QUICClient of its own,
// in file order, and clear-text hellos to the registered parser.
func quicFindHellos(t *testing.T, segments []tlsSegment) (found []tlsFound) {
	t.Helper()
	var log capture.Log
	var order []tlsFlow
	clients := map[tlsFlow]*QUICClient{}
	take := func(f tlsFlow) {
		for i := range log.Len() {
			found = append(found, tlsFound{f, string(log.At(i).Name), tlsClone(log.At(i).TLS)})
		}
		log.Reset()
	}
	for _, s := range segments {
		if s.transport != layers.LayerTypeUDP {
			continue
		}
		if _, message := quicGoogleMessage(s.payload); message != nil {
			if err := quicParseGoogle(s.payload, false, &log); err != nil {
				t.Logf("frame %d: %v", s.frame, err)
			}
		} else if IsQUICLong(s.payload) {
			if clients[s.tlsFlow] == nil {
				clients[s.tlsFlow] = new(QUICClient)
				order = append(order, s.tlsFlow)
			}
			clients[s.tlsFlow].Datagram(s.payload, &log)
		}
		take(s.tlsFlow)
	}
	for _, f := range order {
		clients[f].Flush(&log)
		take(f)
	}
	return found
}

// TestQUICCaptures holds the hellos of all captures against their expected values:
// each expected one is found, and nothing else is.
func TestQUICCaptures(t *testing.T) {
	matched, missed := 0, 0
	for _, name := range tlsNames(t) {
		oracle := tlsReadOracle(t, filepath.Join(tlsCaptures(t), name+".oracle.json"))
		found := quicFindHellos(t, tlsReadCapture(t, name))
		for _, want := range oracle.QUIC {
			i := slices.IndexFunc(found, func(f tlsFound) bool { return f.is(&want) })
			switch {
			case i >= 0 && want.GQUIC:
				matched++
			case i >= 0:
				matched++
				tlsCheckHello(t, name, &found[i].hello, &want)
			case want.InICMP || want.Malformed:
			default:
				missed++
				t.Errorf("%s: frame %d: %v:%d %q not found", name, want.Frame, want.Src, want.Sport, want.sni())
			}
		}
		for _, f := range found {
			if !slices.ContainsFunc(oracle.QUIC, func(h tlsOracleHello) bool { return f.is(&h) }) {
				t.Errorf("%s: %v %q was not expected", name, f.flow, f.name)
			}
		}
	}
	t.Logf("%d hellos found, %d not", matched, missed)
}
