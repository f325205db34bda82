package proto

// matchPrefix judges whether b begins with prefix.
func matchPrefix(b []byte, prefix string) Verdict {
	n := min(len(b), len(prefix))
	switch {
	case string(b[:n]) != prefix[:n]:
		return No
	case n < len(prefix):
		return More
	}
	return Yes
}

// matchWord judges whether b begins with word, in capital letters, in any case, and
// then a space or the end of the line.
func matchWord(b []byte, word string) Verdict {
	for i := range min(len(b), len(word)) {
		c := b[i]
		if 'a' <= c && c <= 'z' {
			c &^= 0x20
		}
		if c != word[i] {
			return No
		}
	}
	switch {
	case len(b) <= len(word):
		return More
	case b[len(word)] != ' ' && b[len(word)] != '\r' && b[len(word)] != '\n':
		return No
	}
	return Yes
}

// matchWords is matchWord for any of several words.
func matchWords(b []byte, words ...string) Verdict {
	best := No
	for _, w := range words {
		best = max(best, matchWord(b, w))
	}
	return best
}

// commandMax is the longest line of a mail or file protocol waited for: SMTP allows
// 512 (RFC 5321 §4.5.3.1.4), IMAP advises 1000 (RFC 2683 §3.2.1.5).
const commandMax = 1024

// parseCommand passes over one line of a dialogue that may lead to TLS.
func parseCommand(b []byte, last bool) (int, Status) {
	line, next, ok := httpLine(b[:min(len(b), commandMax)], 0)
	switch {
	case ok && httpText(line):
		return next, Done
	case ok || last || len(b) >= commandMax || !httpText(line):
		return 0, Reject
	}
	return 0, Incomplete
}
