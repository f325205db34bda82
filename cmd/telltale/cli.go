package main

import (
	"telltale/capture"
)

// cli is the command line.
type cli struct {
	Replay     replayCmd     `cmd:"" help:"Judge captures: alerts as JSON lines, and a summary."`
	Observe    observeCmd    `cmd:"" help:"Print every observation in captures as a JSON line."`
	Feeds      feedsCmd      `cmd:"" help:"Show and check vendor knowledge."`
	Version    versionCmd    `cmd:"" help:"Print version, data sources and licences."`
	Completion completionCmd `cmd:"" help:"Print a shell completion script."`

	Verbose   bool   `short:"v" help:"Log more: the inputs as they end."`
	LogFormat string `enum:"console,json" default:"console" help:"Form of the log on standard error: console or json."`
}

// printable returns s with everything that could act on a terminal escaped; line ends
// stay.
func printable(s string) string {
	var out []byte
	for i := range len(s) {
		if s[i] == '\n' || s[i] == '\t' {
			out = append(out, s[i])
			continue
		}
		if s[i] == '\\' || s[i] >= 0x80 {
			out = append(out, s[i])
			continue
		}
		out = capture.AppendEscaped(out, []byte{s[i]})
	}
	return string(out)
}
