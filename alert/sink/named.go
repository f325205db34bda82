package sink

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// named returns a digest of the content of the files that the settings of the type name:
// credentials, certificates, templates. A sink is made anew where it differs.
func (e *Entry) named() [sha256.Size]byte {
	var all [][]byte
	for _, i := range e.rest {
		all = append(all, digests(fmt.Sprint(i.Key), i.Value)...)
	}
	return sha256.Sum256(bytes.Join(all, nil))
}

// digests returns those of the files that a setting and those within it name. What cannot
// be read has none: making the sink says so.
func digests(key string, value any) (all [][]byte) {
	switch v := value.(type) {
	case string:
		if !strings.HasSuffix(key, "_file") && !slices.Contains([]string{"ca", "cert", "key", "template"}, key) {
			return nil
		}
		path, err := secretPath(v)
		if err != nil {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		sum := sha256.Sum256(b)
		return [][]byte{sum[:]}
	case yaml.MapSlice:
		for _, i := range v {
			all = append(all, digests(fmt.Sprint(i.Key), i.Value)...)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			all = append(all, digests(k, v[k])...)
		}
	}
	return all
}
