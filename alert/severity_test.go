package alert

import (
	"testing"

	"telltale/detect"
	"telltale/feeds"
)

func TestSeverityWithinBounds(t *testing.T) {
	tests := []struct {
		topic       detect.Topic
		kind        detect.ChangeKind
		class       feeds.Class
		least, most feeds.Level
		want        Severity
	}{
		{detect.AboutVendor, detect.Opened, feeds.Installed, "", feeds.LevelHigh, High},
		{detect.AboutVendor, detect.Opened, feeds.Installed, "", feeds.LevelLow, Low},
		{detect.AboutVendor, detect.Opened, feeds.Installed, "", feeds.LevelMedium, Medium},
		{detect.AboutVendor, detect.Opened, feeds.Device, "", "", High},
		{detect.AboutVendor, detect.Opened, feeds.Likely, "", feeds.LevelHigh, Medium},
		{detect.AboutVendor, detect.Opened, feeds.Visited, "", feeds.LevelHigh, Low},
		{detect.AboutVendor, detect.Opened, feeds.Visited, feeds.LevelMedium, feeds.LevelHigh, Medium},
		{detect.AboutVendor, detect.Opened, feeds.Visited, feeds.LevelLow, feeds.LevelLow, Low},
		{detect.AboutVendor, detect.Opened, feeds.None, feeds.LevelMedium, feeds.LevelHigh, Info},
		{detect.AboutVendor, detect.Cleared, feeds.Installed, "", feeds.LevelHigh, Info},
		{detect.AboutSinkhole, detect.Opened, feeds.None, "", "", High},
		{detect.AboutLookalike, detect.Opened, feeds.None, "", "", Medium},
		{detect.AboutForeign, detect.Opened, feeds.Located, "", "", Low},
	}
	for _, tt := range tests {
		f := &detect.Finding{Topic: tt.topic, Class: tt.class, Least: tt.least, Most: tt.most}
		if got := severity(f, tt.kind); got != tt.want {
			t.Errorf("%+v: got %s", tt, got)
		}
	}
}
