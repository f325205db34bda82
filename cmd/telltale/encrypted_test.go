package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEncryptedDNSAlerts: only on request, one for each resolver, in every form, and
// within the schema. No other alert comes or goes with them.
func TestEncryptedDNSAlerts(t *testing.T) {
	in := input(t, "../../testdata/case/encrypted-dns")
	conf := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(conf, []byte("alert_encrypted_dns: true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, usual, _ := call(t, "replay", in)
	for _, c := range []struct {
		args []string
		want int
	}{
		{nil, 0},
		{[]string{"--alert-encrypted-dns"}, 3},
		{[]string{"--config", conf}, 3},
	} {
		status, alerts, _ := call(t, append([]string{"replay", in}, c.args...)...)
		if n := strings.Count(alerts, `"kind":"encrypted_dns","severity":"info"`); status != exitOK || n != c.want || strings.Count(alerts, "\n") != strings.Count(usual, "\n")+c.want || strings.Count(alerts, `"kind":"finding.`) != strings.Count(usual, "\n") {
			t.Errorf("%q: status %d, %d alerts, want %d\n%s", c.args, status, n, c.want, alerts)
		}
		validate(t, alertSchema(t), alerts)
	}
	for _, form := range []string{"eve", "ecs", "ocsf", "cef", "leef"} {
		status, alerts, stderr := call(t, "replay", "--alert-encrypted-dns", "--format", form, "--no-summary", in)
		if status != exitOK || !strings.Contains(alerts, "dns9.quad9.net") {
			t.Errorf("%s: status %d\n%s%s", form, status, alerts, stderr)
		}
	}
}
