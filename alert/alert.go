// Package alert is what Telltale tells a SIEM: a change of a Finding worth telling, or
// the sensor speaking of its own health. The fields and their names are a contract,
// described by the JSON Schema in alert.schema.json.
package alert

import (
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"telltale/detect"
	"telltale/feeds"
)

// Schema is the JSON Schema (draft 2020-12) of the native form of an Alert.
//
//go:embed alert.schema.json
var Schema string

// Version is the version of the native form; a change that could break a reader
// raises the first number.
const Version = "telltale/1"

// Kind says what an Alert tells.
type Kind string

// Kinds.
const (
	FindingOpened   Kind = "finding.opened"
	FindingRaised   Kind = "finding.raised"
	FindingSummary  Kind = "finding.summary"
	FindingReopened Kind = "finding.reopened"
	FindingCleared  Kind = "finding.cleared"
	Lookalike       Kind = "lookalike"
	Sinkhole        Kind = "sinkhole"
	Foreign         Kind = "foreign"
	EncryptedDNS    Kind = "encrypted_dns"
	HealthInput     Kind = "health.input" // an input could not be read to its end
	HealthFeed      Kind = "health.feed"  // new packs or lists were refused; the old ones stay in use

	HealthDrops     Kind = "health.drops"     // packets or observations were lost here: coverage is reduced
	HealthLoss      Kind = "health.loss"      // packets were lost before they came here, as far as flows tell
	HealthInterface Kind = "health.interface" // an interface went down or away, or is back
	HealthSilent    Kind = "health.silent"    // no packet for long, or packets again
	HealthConfig    Kind = "health.config"    // a new configuration is in use
	HealthHeartbeat Kind = "health.heartbeat" // the sensor lives; how far its sequence is, and what was dropped
	HealthGap       Kind = "health.gap"       // alerts were dropped on purpose, and which
	HealthTest      Kind = "health.test"      // an operator tries the way to a receiver
)

// kinds lists all of them.
var kinds = []Kind{
	FindingOpened, FindingRaised, FindingSummary, FindingReopened, FindingCleared,
	Lookalike, Sinkhole, Foreign, EncryptedDNS, HealthInput, HealthFeed, HealthDrops, HealthLoss,
	HealthInterface, HealthSilent, HealthConfig, HealthHeartbeat, HealthGap, HealthTest,
}

// Severity is how much an Alert matters, as the values of RFC 5424 name it.
type Severity string

// Severities.
const (
	Info   Severity = "info"
	Low    Severity = "low"
	Medium Severity = "medium"
	High   Severity = "high"
)

// Alert is one message to the outside. It does not change once made.
type Alert struct {
	ID       string // content-derived: the same packets give the same id
	Seq      uint64 // 1, 2, 3 ... without a gap, per sensor and epoch, or per run without a state
	Epoch    uint64 // names the sequence: when its state was made, ms since 1970 UTC; 0 without one
	Time     int64  // packet time, nanoseconds since 1970 UTC
	Kind     Kind
	Severity Severity
	Sensor   string
	Packs    string // content hash of the vendor knowledge in use
	Program  string // version of the program
	// Omitted counts facts, names and policies left out to keep a form small.
	Omitted uint64

	// Finding is a copy of the Finding as it was; nil for health alerts.
	Finding *detect.Finding
	// Text is what a health alert says.
	Text string
	// Heartbeat and Gap are set for the kinds of that name.
	Heartbeat *Heartbeat
	Gap       *Gap
}

// Heartbeat is how far the sensor's sequence is and what it had to leave out, since the
// epoch began unless said otherwise.
type Heartbeat struct {
	LastSeq         uint64 `json:"last_seq"`         // sequence number before this alert's
	AlertsDropped   uint64 `json:"alerts_dropped"`   // each is covered by a gap
	AlertsCoalesced uint64 `json:"alerts_coalesced"` // told with a later alert of the same finding, since the process started
	Packets         uint64 `json:"packets"`          // since the process started
	PacketsDropped  uint64 `json:"packets_dropped"`  // by the kernel, since the process started
}

// Gap is a stretch of the sequence that was dropped on purpose. Its own number is that
// of the last of them: it stands in their place.
type Gap struct {
	First  uint64 `json:"first"`
	Last   uint64 `json:"last"`
	Count  uint64 `json:"count"` // alerts dropped: those from First to Last
	Reason string `json:"reason"`
}

// Maker numbers Alerts.
type Maker struct {
	Sensor string
	Packs  string
	// Program is the version of the program, for forms that carry one.
	Program string
	seq     uint64
}

// Change returns the Alert that tells of c.
func (m *Maker) Change(c detect.Change) *Alert {
	a, f := new(Alert), *c.Finding
	m.Passing(a, c)
	a.Finding = &f
	return a
}

// Passing makes a the Alert that tells of c, with the Finding itself and no copy: it
// holds until the Engine goes on.
func (m *Maker) Passing(a *Alert, c detect.Change) {
	m.begin(a, c.Time, kindOf(c))
	a.Finding = c.Finding
	a.Severity = severity(c.Finding, c.Kind)
	a.ID = id(a, c.Packet)
}

// Health returns an Alert in which the sensor speaks of itself.
func (m *Maker) Health(kind Kind, t int64, text string) *Alert {
	a := m.next(t, kind)
	a.Severity, a.Text = Medium, text
	a.ID = id(a, 0)
	return a
}

// Recovered returns an Alert that says that what Health spoke of is over.
func (m *Maker) Recovered(kind Kind, t int64, text string) *Alert {
	a := m.Health(kind, t, text)
	a.Severity = Info
	return a
}

// Heartbeat returns an Alert that says the sensor lives; Number completes it.
func (m *Maker) Heartbeat(t int64, h Heartbeat) *Alert {
	a := m.next(t, HealthHeartbeat)
	a.Severity, a.Text, a.Heartbeat = Info, "the sensor is alive", &h
	a.ID = id(a, 0)
	return a
}

// Gap returns the Alert that stands for dropped ones, g.First to g.Last of an epoch.
func (m *Maker) Gap(t int64, epoch uint64, g Gap) *Alert {
	a := m.next(t, HealthGap)
	a.Severity, a.Gap = Medium, &g
	a.Text = fmt.Sprintf("%d alerts were dropped: %s", g.Count, g.Reason)
	if g.Count == 1 {
		a.Text = "1 alert was dropped: " + g.Reason
	}
	a.Number(epoch, g.Last)
	return a
}

// Merge returns one Alert for two of the same Finding, of which the second came before
// the first could be told: what the second says, and that it was opened, raised or
// reopened if the first said so.
func Merge(first, second *Alert) *Alert {
	a := *second
	keeps := first.Kind != FindingSummary && first.Kind != FindingCleared
	if keeps && (second.Kind == FindingSummary || second.Kind == FindingRaised) {
		a.Kind = first.Kind
	}
	a.ID = id(&a, 0)
	return &a
}

// Number gives a its place in the sequence of an epoch, in place of the one by run. What
// heartbeats and gaps are is their place.
func (a *Alert) Number(epoch, seq uint64) {
	a.Epoch, a.Seq = epoch, seq
	if a.Heartbeat != nil {
		a.Heartbeat.LastSeq = seq - 1
	}
	if a.Heartbeat != nil || a.Gap != nil {
		a.ID = id(a, seq)
	}
}

func (m *Maker) next(t int64, kind Kind) *Alert {
	a := new(Alert)
	m.begin(a, t, kind)
	return a
}

// begin makes a the next Alert.
func (m *Maker) begin(a *Alert, t int64, kind Kind) {
	m.seq++
	*a = Alert{Seq: m.seq, Time: t, Kind: kind, Sensor: m.Sensor, Packs: m.Packs, Program: m.Program}
}

// kindOf names a change. What is no contact with a vendor has kinds of its own, so that
// a rule on finding.* never counts it.
func kindOf(c detect.Change) Kind {
	if c.Kind == detect.Opened || c.Kind == detect.Raised {
		switch c.Finding.Topic {
		case detect.AboutLookalike:
			return Lookalike
		case detect.AboutSinkhole:
			return Sinkhole
		case detect.AboutForeign:
			return Foreign
		case detect.AboutEncryptedDNS:
			return EncryptedDNS
		}
	}
	return [...]Kind{FindingOpened, FindingRaised, FindingSummary, FindingReopened, FindingCleared}[c.Kind]
}

func severity(f *detect.Finding, k detect.ChangeKind) Severity {
	switch {
	case k == detect.Cleared:
		return Info
	case f.Topic == detect.AboutSinkhole:
		return High
	case f.Topic == detect.AboutLookalike:
		return Medium
	}
	if f.Topic == detect.AboutForeign && f.Class < feeds.Resolved {
		return Low
	}
	return bounded(f.Class, f.Least, f.Most)
}

// bounded returns the severity of a class within the bounds that policies and the
// operator's choice of vendors set.
func bounded(c feeds.Class, least, most feeds.Level) Severity {
	n := 0
	switch c {
	case feeds.Installed, feeds.Device:
		n = 3
	case feeds.Likely:
		n = 2
	case feeds.Visited, feeds.Resolved:
		n = 1
	default:
		return Info
	}
	order := [...]Severity{Info, Low, Medium, High}
	if i := slices.Index(order[:], Severity(least)); i > n {
		n = i
	}
	if i := slices.Index(order[:], Severity(most)); i >= 0 && i < n {
		n = i
	}
	return order[n]
}

// id hashes what makes an Alert this one and not another.
func id(a *Alert, packet uint64) string {
	b := make([]byte, 0, 256)
	word := func(v uint64) { b = binary.BigEndian.AppendUint64(b, v) }
	text := func(s string) {
		word(uint64(len(s)))
		b = append(b, s...)
	}
	text(string(a.Kind))
	text(a.Text)
	word(uint64(a.Time))
	word(packet)
	if a.Epoch != 0 && a.Finding == nil {
		text(a.Sensor)
		word(a.Epoch)
	}
	if f := a.Finding; f != nil {
		text(f.ID)
		text(f.Class.String())
		word(f.Attempts)
		word(f.Exchanges)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}
