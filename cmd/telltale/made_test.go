package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/testdata/generate"
)

// TestMadeCases holds the captures of the cases that a program makes against what it
// makes. With -update they are written; run the tests once more for their outputs.
func TestMadeCases(t *testing.T) {
	for name, maker := range map[string]func() (*generate.Capture, error){
		"openings":        generate.Openings,
		"certificates":    generate.Certificates,
		"damaged":         generate.Damaged,
		"proxy-denied":    generate.Refusals,
		"mirrored":        generate.Mirrored,
		"dns-halved":      generate.Halved,
		"streams":         generate.Streams,
		"tunnels":         generate.Tunnels,
		"encapsulations":  generate.Encapsulations,
		"link-wlan":       generate.Wireless,
		"link-serial":     generate.Serial,
		"lan-ports":       generate.LANPorts,
		"dns-odd":         generate.OddLookups,
		"quic-versions":   generate.QUICVersions,
		"fragmented":      fragments(generate.Damaged, 64),
		"fragmented-quic": fragments(generate.QUICVersions, 600),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := maker()
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("../../testdata/case", name, "input.pcap")
			if *update {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, c.PCAP, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, c.PCAP) {
				t.Errorf("the capture is not what is made: %v; run 'go test ./cmd/telltale -run Made -update'", err)
			}
			_, observed, _ := call(t, "observe", path)
			for _, want := range c.Contacts {
				who, what := fmt.Sprintf(`"src":%q`, want.Client), fmt.Sprintf(`"name":%q`, want.Name)
				found := false
				for line := range strings.Lines(observed) {
					found = found || strings.Contains(line, fmt.Sprintf(`"proto":%q`, want.Protocol)) && strings.Contains(line, who) && strings.Contains(line, what)
				}
				if !found {
					t.Errorf("%s %s %s is not found", want.Client, want.Protocol, want.Name)
				}
			}
		})
	}
}

// fragments is a maker whose packets come in IP fragments of size bytes.
func fragments(maker func() (*generate.Capture, error), size int) func() (*generate.Capture, error) {
	return func() (*generate.Capture, error) {
		c, err := maker()
		if err == nil {
			c.PCAP, err = generate.Fragment(c.PCAP, size)
		}
		return c, err
	}
}
