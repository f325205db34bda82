package feeds

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
)

// fields are the names of all fields of packs, policies and shared files.
var fields = [...]string{
	"addresses", "aliases", "answers", "apexes", "as_of", "asns", "assets", "behaviours", "binds", "brands",
	"business_days", "citation", "confidence", "country", "counts", "dashed", "date", "days", "deadlines", "ede",
	"effective", "fronts", "function", "hosting", "id", "implies", "indicators", "issued", "issuer", "jurisdiction",
	"kind", "license", "listener", "lookalikes", "min", "misleading", "name", "names", "note", "notes", "owner",
	"parent", "policies", "product", "products", "provider", "published", "ref", "resolvers", "role", "roles",
	"scope", "seen", "severity", "shared", "sinkholes", "sources", "starts", "title", "traps", "value", "values",
	"vendors", "version", "what", "why", "zone", "zones",
}

// meant adds to an error about an unknown field which one may be meant.
func meant(err error) error {
	var unknown *yaml.UnknownFieldError
	if !errors.As(err, &unknown) || unknown.GetToken() == nil {
		return err
	}
	name, hint := unknown.GetToken().Value, "see packs/README.md for those there are"
	if near := nearest(name); near == name {
		hint = "it is a field of another section"
	} else if near != "" {
		hint = "did you mean " + near + "?"
	}
	return &fileError{line: unknown.GetToken().Position.Line, err: fmt.Errorf("unknown field %q: %s", name, hint)}
}

// nearest returns the field that is at most two edits, and less than half of it, away from
// s; the first of those that are equally near.
func nearest(s string) string {
	best, near := 3, ""
	for _, f := range fields {
		if d := edits(s, f); d < best && 2*d < len(f) {
			best, near = d, f
		}
	}
	return near
}

// edits returns the Levenshtein distance of two short words.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			corner, row[j+1] = row[j+1], min(corner+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
