package importer

import (
	"bytes"
	"strings"
)

// headSize is how much of a list is looked at to tell its format.
const headSize = 4096

// maxSniffed bounds the lines that are looked at.
const maxSniffed = 50

// head is the beginning of a list.
type head struct {
	text  []byte
	lines []string // whole lines that are neither empty nor a comment, trimmed
}

func newHead(b []byte) *head {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	h := &head{text: b}
	text := string(b)
	if cut := strings.LastIndexByte(text, '\n'); cut >= 0 && len(b) >= headSize {
		text = text[:cut]
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && line[0] != '#' && line[0] != ';' && len(h.lines) < maxSniffed {
			h.lines = append(h.lines, line)
		}
	}
	return h
}

// json reports whether the list is a JSON document.
func (h *head) json() bool {
	t := bytes.TrimSpace(h.text)
	return len(t) > 0 && (t[0] == '{' || t[0] == '[' && len(t) > 1 && strings.ContainsRune("{[\n\r\t ", rune(t[1])))
}

// most reports whether more than half of the lines, and at least one, are as asked for.
func (h *head) most(is func(line string) bool) bool {
	n := 0
	for _, l := range h.lines {
		if is(l) {
			n++
		}
	}
	return n*2 > len(h.lines)
}

// any reports whether some line is as asked for.
func (h *head) any(is func(line string) bool) bool {
	for _, l := range h.lines {
		if is(l) {
			return true
		}
	}
	return false
}
