package geo

import (
	_ "embed" // the tables
)

//go:embed data/country.ranges
var countryData []byte

//go:embed data/as.ranges
var asData []byte

//go:embed data/SOURCE.txt
var sourceText string

// SourceText returns where the embedded tables are from, of when, and under which
// licence, as a text of several lines.
func SourceText() string {
	return sourceText
}
