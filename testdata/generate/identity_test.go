package generate

import (
	"bytes"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the captures of generated cases anew")

// TestIdentityCase: the capture of the case is what the generator makes.
func TestIdentityCase(t *testing.T) {
	c, err := Identity()
	if err != nil {
		t.Fatal(err)
	}
	const path = "../case/identity/input.pcap"
	if *update {
		if err := os.WriteFile(path, c.PCAP, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, c.PCAP) {
		t.Error("another capture than that of the case: run 'go test ./testdata/generate -update', then that of cmd/telltale")
	}
}
