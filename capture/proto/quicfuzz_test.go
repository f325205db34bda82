package proto

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"telltale/capture"
)

// FuzzQUICDatagram feeds bytes as a datagram, and as the frames of an Initial that
// opens. Nothing may panic, write to the datagram or append but with QUICHello.
func FuzzQUICDatagram(f *testing.F) {
	message := quicMessage(f, "fuzz.example")
	r := rand.New(rand.NewPCG(3, 4))
	f.Add(quicHex(f, quicRFC9001), false)
	f.Add(quicHex(f, quicRFC9369), false)
	f.Add([]byte(quicPublicHeader+quicGoogleHello(quicGoogleTag{"SNI\x00", "www.example.com"})), false)
	f.Add(quicCryptoFrame(message, 0, len(message)), true)
	f.Add(quicCryptoFrame(message, 100, len(message)), true)
	f.Add(bytes.Join(quicShuffle(r, message, 300), nil), true)
	f.Fuzz(func(t *testing.T, b []byte, frames bool) {
		datagram := b
		if frames {
			datagram = quicV1Packet(t, 0, b[:min(len(b), 8000)])
		}
		if IsQUICNegotiation(datagram) && IsQUICLong(datagram) {
			t.Fatal("both negotiation and a packet of a version")
		}
		before := bytes.Clone(datagram)
		var c QUICClient
		var log capture.Log
		for range 2 {
			n := log.Len()
			s := c.Datagram(datagram, &log)
			if (s == QUICHello) != (log.Len() == n+1) || frames && s == QUICSealed {
				t.Fatalf("status %d with %d observations more", s, log.Len()-n)
			}
			if _, _, ok := QUICInitialID(datagram); !ok && s != QUICNot {
				t.Fatalf("status %d without an Initial", s)
			}
		}
		n := log.Len()
		if c.Flush(&log) != (log.Len() == n+1) || log.Len() > 1 {
			t.Fatalf("%d observations of one datagram", log.Len())
		}
		if version, m := quicGoogleMessage(datagram); m != nil {
			if err := quicParseGoogle(datagram, true, &log); err == nil && log.At(log.Len()-1).TLS.QUICVersion != version {
				t.Fatalf("gQUIC version %#x was not kept", version)
			}
		}
		if !bytes.Equal(before, datagram) {
			t.Fatal("the datagram was changed")
		}
	})
}
