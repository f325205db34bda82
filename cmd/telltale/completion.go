package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints a script that completes commands and flags, made from the command line's
// own model; file names are left to the shell.
func (c *completionCmd) Run(e *env, app *kong.Application) error {
	words := map[string][]string{}
	collect(app.Node, "", words)
	var script string
	switch c.Shell {
	case "fish":
		script = fish(words)
	case "zsh":
		script = "autoload -U +X bashcompinit && bashcompinit\n" + bash(words)
	default:
		script = bash(words)
	}
	_, err := fmt.Fprint(e.stdout, script)
	return err
}

// collect gathers, per command path, the words that may follow.
func collect(n *kong.Node, path string, words map[string][]string) {
	var list []string
	for _, child := range n.Children {
		list = append(list, child.Name)
		collect(child, strings.TrimSpace(path+" "+child.Name), words)
	}
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			list = append(list, "--"+f.Name)
		}
	}
	words[path] = list
}

func bash(words map[string][]string) string {
	var b strings.Builder
	b.WriteString("_telltale() {\n  local cur=${COMP_WORDS[COMP_CWORD]} path= w words=\n")
	b.WriteString("  for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n    case \"$w\" in -*) ;; *) path=\"${path:+$path }$w\" ;; esac\n  done\n")
	b.WriteString("  case \"$path\" in\n")
	for _, p := range paths(words) {
		pattern := fmt.Sprintf("%q|%q", p, p+" ")
		if p != "" && !hasChildren(words, p) {
			pattern = fmt.Sprintf("%q*", p)
		}
		fmt.Fprintf(&b, "    %s) words=%q ;;\n", pattern, strings.Join(words[p], " "))
	}
	b.WriteString("  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\") $(compgen -f -- \"$cur\"))\n}\ncomplete -o filenames -F _telltale telltale\n")
	return b.String()
}

func fish(words map[string][]string) string {
	var b strings.Builder
	for _, p := range paths(words) {
		cond := "__fish_use_subcommand"
		if p != "" {
			cond = "__fish_seen_subcommand_from " + p[strings.LastIndexByte(p, ' ')+1:]
		}
		for _, w := range words[p] {
			if name, flag := strings.CutPrefix(w, "--"); flag {
				fmt.Fprintf(&b, "complete -c telltale -n '%s' -l %s\n", cond, name)
			} else {
				fmt.Fprintf(&b, "complete -c telltale -n '%s' -a %s\n", cond, w)
			}
		}
	}
	return b.String()
}

// paths returns the command paths, deepest first, so that the most specific matches.
func paths(words map[string][]string) []string {
	list := slices.Sorted(maps.Keys(words))
	slices.SortStableFunc(list, func(a, b string) int { return strings.Count(b, " ") - strings.Count(a, " ") })
	return list
}

func hasChildren(words map[string][]string, path string) bool {
	for p := range words {
		if strings.HasPrefix(p, path+" ") {
			return true
		}
	}
	return false
}
