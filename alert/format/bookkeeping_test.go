package format

import (
	"strings"
	"testing"

	"telltale/alert"
)

// TestBookkeeping: every form carries what a receiver needs to check that nothing is
// missing: the id, the sequence, its epoch, and what heartbeats and gaps say.
func TestBookkeeping(t *testing.T) {
	m := alert.Maker{Sensor: "s"}
	beat := m.Heartbeat(1.7e18, alert.Heartbeat{AlertsDropped: 4711})
	beat.Number(1700000000123, 815)
	gap := m.Gap(1.7e18, 1700000000123, alert.Gap{First: 20001, Last: 20009, Count: 9, Reason: "quota"})
	for _, f := range Formats() {
		for _, c := range []struct {
			a    *alert.Alert
			want []string
		}{
			{beat, []string{beat.ID, "815", "1700000000123", "814", "4711"}},
			{gap, []string{gap.ID, "20001", "20009", "1700000000123", "quota"}},
		} {
			line := string(f.Append(nil, c.a))
			for _, w := range c.want {
				if !strings.Contains(line, w) {
					t.Errorf("%s %s: %s is missing: %s", f.Name, c.a.Kind, w, line)
				}
			}
		}
	}
}
