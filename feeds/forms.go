package feeds

import (
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// compiledForms holds the embedded files in a form that is read in a tenth of the time YAML
// takes: for each file a line of its SHA-256 and its content as JSON. A file that has
// changed since is not found by its digest and is read as it is written.
//
//go:generate go test -run TestCompiledFormIsCurrent|TestVendorsDocumentIsCurrent|TestShippedIndicators|TestReachOnPopularNames -update .
//go:embed packs/compiled.jsonl
var compiledForms string

// forms are files in the compiled form, by the SHA-256 of what they were made of.
type forms map[[32]byte]string

// readForms splits the compiled form; lines it cannot use are left out.
func readForms(text string) forms {
	f := make(forms)
	for line := range strings.Lines(text) {
		digest, content, _ := strings.Cut(line, " ")
		raw, err := hex.DecodeString(digest)
		if err == nil && len(raw) == 32 {
			f[[32]byte(raw)] = content
		}
	}
	return f
}

// read decodes a file into v, a pointer to its zero value: from its compiled form if
// there is one, else from the YAML it is written in.
func (f forms) read(file string, data []byte, sum [32]byte, v any) error {
	if text, ok := f[sum]; ok {
		return located(file, json.Unmarshal([]byte(text), v))
	}
	return decode(file, data, v)
}
