package format

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"telltale/capture"
	"telltale/detect"
)

// Log is a form of the observation log: what was seen, whether it matters or not.
type Log struct {
	// Name selects it in the configuration and on the command line.
	Name string
	// About says in a few words what it is, for people.
	About string
	// Append appends o as one line of printable ASCII without a line end. It returns dst
	// as it was for what the form has no event for.
	Append func(dst []byte, o *capture.Observation, sensor string) []byte
}

var logs []Log

func registerLog(l Log) bool {
	logs = append(logs, l)
	slices.SortFunc(logs, func(a, b Log) int { return cmp.Compare(a.Name, b.Name) })
	return true
}

// Logs returns all forms of the observation log by name.
func Logs() []Log { return slices.Clone(logs) }

// LogByName returns the form of that name.
func LogByName(name string) (Log, error) {
	var names []string
	for _, l := range logs {
		if l.Name == name {
			return l, nil
		}
		names = append(names, l.Name)
	}
	return Log{}, fmt.Errorf("unknown form of observations %q: use one of %s", name, strings.Join(names, ", "))
}

var _ = registerLog(Log{Name: "native", About: "Telltale's own JSON", Append: func(dst []byte, o *capture.Observation, _ string) []byte {
	return o.AppendJSON(dst)
}})

// contactOf returns the ends of o, for what is derived from them.
func contactOf(o *capture.Observation) *detect.Contact {
	return &detect.Contact{Client: o.Client, Server: o.Server, Transport: o.Transport, Proto: o.Proto, Flow: o.Flow}
}

// raw returns bytes of the network in their escaped form.
func raw(b []byte) string { return string(capture.AppendEscaped(nil, b)) }

// tlsVersions are the names of TLS versions by their number (RFC 8446 §4.2.1).
var tlsVersions = map[uint16]string{0x0002: "SSLv2", 0x0300: "SSLv3", 0x0301: "TLSv1", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}
