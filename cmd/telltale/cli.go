package main

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"telltale/capture"
)

// cli is the command line.
type cli struct {
	Run        runCmd        `cmd:"" help:"Listen to network interfaces and judge what is heard: alerts as they happen."`
	Replay     replayCmd     `cmd:"" help:"Judge captures: alerts as JSON lines, and a summary."`
	Observe    observeCmd    `cmd:"" help:"Print every observation in captures as a JSON line."`
	Packet     packetCmd     `cmd:"" help:"Show one packet that a fact points to."`
	Feeds      feedsCmd      `cmd:"" help:"Show and check vendor knowledge."`
	Sinks      sinksCmd      `cmd:"" help:"Try and list the receivers of alerts."`
	Outbox     outboxCmd     `cmd:"" help:"Show alerts on their way, and help those that are stuck."`
	Version    versionCmd    `cmd:"" help:"Print version, data sources and licences."`
	Completion completionCmd `cmd:"" help:"Print a shell completion script."`

	Verbose   bool   `short:"v" help:"Log more: the inputs as they end."`
	LogFormat string `enum:"console,json" default:"console" help:"Form of the log on standard error: console or json."`
}

// printable returns s with everything that could act on a terminal escaped; line ends,
// tabs and backslashes stay.
func printable(s string) string {
	var out []byte
	for i, r := range s {
		size := max(utf8.RuneLen(r), 1)
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd") {
			size = 1 // a byte that is not UTF-8
		} else if r == '\n' || r == '\t' || r == '\\' || unicode.IsPrint(r) {
			out = utf8.AppendRune(out, r)
			continue
		}
		out = capture.AppendEscaped(out, []byte(s[i:i+size]))
	}
	return string(out)
}
