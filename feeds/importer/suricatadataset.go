package importer

import (
	"encoding/base64"
	"encoding/hex"
	"strings"

	"telltale/feeds"
)

var _ = register(Format{
	Name: "suricata-dataset", Help: "Suricata dataset: base64 strings, addresses; a reputation may follow", Order: 90,
	Reach: feeds.ReachExact,
	looks: func(h *head) bool { return h.most(isDatasetLine) },
	read:  readDataset,
})

// isDatasetLine reports whether a line is a base64 string or a digest, and not a name.
func isDatasetLine(line string) bool {
	value, _, _ := strings.Cut(line, ",")
	if strings.ContainsAny(value, ".:") || len(value) < 8 {
		return false
	}
	_, ok := datasetString(value)
	return ok || isDigest(value)
}

// isDigest reports whether v is an MD5 or SHA-256 in hexadecimal.
func isDigest(v string) bool {
	_, err := hex.DecodeString(v)
	return err == nil && (len(v) == 32 || len(v) == 64)
}

// datasetString decodes an entry of type string.
func datasetString(v string) (string, bool) {
	b, err := base64.StdEncoding.DecodeString(v)
	if err != nil || len(b) == 0 {
		return "", false
	}
	for _, c := range b {
		if c < 0x20 || c == 0x7f {
			return "", false
		}
	}
	return strings.TrimSpace(string(b)), true
}

// readDataset reads "value[,reputation]". Datasets compare whole strings, so a name
// stands for itself only.
func readDataset(in *input, out *sink) error {
	for {
		line, ok := in.data(out, "#")
		if !ok {
			return nil
		}
		value, _, _ := strings.Cut(string(line), ",")
		value = strings.TrimSpace(value)
		switch text, decoded := datasetString(value); {
		case isDigest(value):
			out.skip("digests of files")
		case strings.ContainsAny(value, ".:"): // as addresses are written and base64 is not
			out.value(in.line, value, out.reach)
		case !decoded:
			out.bad(in.line, "%.80q is neither base64 nor an address", value)
		default:
			out.value(in.line, strings.TrimPrefix(text, "."), out.reach)
		}
	}
}
