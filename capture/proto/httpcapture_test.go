package proto

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"telltale/capture"
)

// TestHTTPKasperskyUpdate reads a real update by Kaspersky's updater, recorded at
// LBNL in 2018: two requests and their answers on one connection, in order.
func TestHTTPKasperskyUpdate(t *testing.T) {
	dir, ok := dnsCaptureDir(t)
	if !ok {
		t.Skip("no captures beside the module")
	}
	client, server := httpSides(t, filepath.Join(dir, "lbnl_detect-kaspersky.pcap"))
	requests, responses := httpReadAll(t, client, httpParseRequest), httpReadAll(t, server, httpParseResponse)
	targets := []string{"/updaters/updater.xml.dif", "/updaters/updater.xml.klz"}
	magics := []string{"KLD2", "KLZF"}
	if requests.Len() != len(targets) || responses.Len() != len(magics) {
		t.Fatalf("%d requests, %d responses", requests.Len(), responses.Len())
	}
	for i := range targets {
		q, r := requests.At(i), responses.At(i)
		if string(q.HTTP.Target) != targets[i] || string(q.Name) != "94.75.236.123" || !q.HTTP.HostIsIP {
			t.Errorf("request %d: %s", i, httpObservation(q))
		}
		if string(q.HTTP.UserAgent) != "*B0cBAAQAjyajPZi3NqrqOlLbWHEBn0dO1ZHOsQUs2xEOPsB8LFbPAkWACAAAA8AA" {
			t.Errorf("request %d: User-Agent %q", i, q.HTTP.UserAgent)
		}
		if r.HTTP.Status != 200 || !bytes.HasPrefix(r.HTTP.Body, []byte(magics[i])) || len(r.HTTP.Body) < 1000 {
			t.Errorf("response %d: %s, want a body that begins %s", i, httpObservation(r), magics[i])
		}
	}
}

// httpSides returns what client and server sent in a capture of one connection.
func httpSides(t *testing.T, path string) (client, server []byte) {
	t.Helper()
	dnsEachPacket(t, path, func(p gopacket.Packet) {
		tcp, ok := p.TransportLayer().(*layers.TCP)
		switch {
		case ok && tcp.DstPort == 80:
			client = append(client, tcp.LayerPayload()...)
		case ok && tcp.SrcPort == 80:
			server = append(server, tcp.LayerPayload()...)
		}
	})
	return client, server
}

// httpReadAll reads one side of a connection to its end.
func httpReadAll(t *testing.T, b []byte, parse httpParse) *capture.Log {
	t.Helper()
	log := new(capture.Log)
	for len(b) > 0 {
		n, s := parse(b, true, log)
		if s != Done {
			t.Fatalf("status %d at %q", s, b[:min(len(b), 40)])
		}
		b = b[min(n, len(b)):]
	}
	return log
}

// TestHTTPCaptures holds the requests that begin in a segment of the captures against
// what is known to be in them: the Host fields, so a CONNECT without one is left out.
func TestHTTPCaptures(t *testing.T) {
	dnsScoreCaptures(t, "http", 90, func(_ *testing.T, p gopacket.Packet, got map[dnsPair]bool) {
		tcp, ok := p.TransportLayer().(*layers.TCP)
		if !ok || len(tcp.Payload) == 0 || httpMatchRequest(tcp.Payload) != Yes {
			return
		}
		if bytes.HasPrefix(tcp.Payload, []byte("CONNECT ")) && !bytes.Contains(tcp.Payload, []byte("\r\nHost:")) {
			return
		}
		log := new(capture.Log)
		if _, s := httpParseRequest(tcp.Payload, true, log); s == Done && len(log.At(0).Name) > 0 {
			got[dnsPair{dnsInnermost(p).Src().String(), string(log.At(0).Name)}] = true
		}
	})
}
