package format

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"telltale/alert"
	"telltale/capture"
	"telltale/detect"
	"telltale/feeds"
)

// hostileTexts are texts that try to leave their field. Tests of the sinks read the same.
var hostileTexts = sync.OnceValue(func() (all []string) {
	b, err := os.ReadFile("../testdata/hostile.txt")
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		text, err := strconv.Unquote(strings.TrimSpace(line))
		if err != nil {
			panic(line)
		}
		all = append(all, text)
	}
	return all
})

// fewerIfShort returns one text in nine with -short, for what is slow.
func fewerIfShort(texts []string) (some []string) {
	for i, text := range texts {
		if !testing.Short() || i%9 == 0 {
			some = append(some, text)
		}
	}
	return some
}

// hostileFinding has text wherever a text of the network or of a list can stand.
func hostileFinding(topic detect.Topic, class feeds.Class, text string) *detect.Finding {
	f := finding(topic, class, text)
	f.Host.Name = text
	f.Names = []string{text, "b.example"}
	f.Contact.Name = text
	f.Contact.Client = netip.MustParseAddrPort("10.0.0.1:50000")
	f.Contact.Server = netip.MustParseAddrPort("198.51.100.1:443")
	return f
}

// someAlerts calls visit with alerts of every kind, topic, class and protocol that hold
// text.
func someAlerts(text string, visit func(a *alert.Alert)) {
	m := alert.Maker{Sensor: "sensor1", Packs: "p", Program: "1.2.3"}
	protos := []capture.Proto{capture.ProtoDNS, capture.ProtoTLS, capture.ProtoQUIC, capture.ProtoHTTP, capture.ProtoFlow}
	i := 0
	for topic := detect.AboutVendor; topic <= detect.AboutEncryptedDNS; topic++ {
		for kind := detect.Opened; kind <= detect.Cleared; kind++ {
			for class := feeds.None; class <= feeds.Installed; class++ {
				f := hostileFinding(topic, class, text)
				f.Contact.Proto = protos[i%len(protos)]
				i++
				visit(m.Change(detect.Change{Kind: kind, Time: 1.7e18, Packet: 5, Finding: f}))
			}
		}
	}
	for _, kind := range []alert.Kind{
		alert.HealthInput, alert.HealthFeed, alert.HealthDrops, alert.HealthLoss, alert.HealthInterface, alert.HealthSilent, alert.HealthConfig, alert.HealthTest,
	} {
		visit(m.Health(kind, 1.7e18, "x"+text))
	}
	beat := m.Heartbeat(1.7e18, alert.Heartbeat{AlertsDropped: 2, Packets: 3, PacketsDropped: 4})
	beat.Number(1700000000000, 7)
	visit(beat)
	visit(m.Gap(1.7e18, 1700000000000, alert.Gap{First: 3, Last: 9, Count: 7, Reason: "x" + text}))
}

// fewAlerts is someAlerts with one alert for each topic and protocol, for long lists of
// texts.
func fewAlerts(text string, visit func(a *alert.Alert)) {
	m := alert.Maker{Sensor: "sensor1", Packs: "p", Program: "1.2.3"}
	for i, proto := range []capture.Proto{capture.ProtoDNS, capture.ProtoTLS, capture.ProtoQUIC, capture.ProtoHTTP, capture.ProtoFlow} {
		f := hostileFinding(detect.Topic(i%4), feeds.Installed, text)
		f.Contact.Proto = proto
		visit(m.Change(detect.Change{Kind: detect.ChangeKind(i % 5), Time: 1.7e18, Packet: 5, Finding: f}))
	}
	visit(m.Health(alert.HealthInput, 1.7e18, "x"+text))
	beat := m.Heartbeat(1.7e18, alert.Heartbeat{AlertsDropped: 2, Packets: 3, PacketsDropped: 4})
	beat.Number(1700000000000, 7)
	visit(beat)
	visit(m.Gap(1.7e18, 1700000000000, alert.Gap{First: 3, Last: 9, Count: 7, Reason: "x" + text}))
}

// crowded is an alert with more of everything than any form can hold.
func crowded() *alert.Alert {
	f := hostileFinding(detect.AboutForeign, feeds.Installed, strings.Repeat("\xff\n|=\\\"", 500))
	f.Host.Name, f.Contact.Name, f.Names[0] = strings.Repeat("h", 300), strings.Repeat("n", 300), strings.Repeat(`\"=|`, 200)
	for i := range 200 {
		f.Facts = append(f.Facts, detect.Fact{Text: fmt.Sprintf("fact %d %s", i, strings.Repeat("=", 300)), Indicator: strings.Repeat("i", 300)})
		f.Names = append(f.Names, strings.Repeat(`\255`, 250))
		f.Policies = append(f.Policies, &feeds.Policy{ID: fmt.Sprintf("xx-policy-%d", i)})
	}
	m := alert.Maker{Sensor: "s", Packs: "p"}
	return m.Change(detect.Change{Time: 1.7e18, Finding: f})
}
