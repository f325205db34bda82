package decode

import "telltale/capture"

// reader reads one header and all that follows. Those of link types never get an
// empty v, those of all others may.
type reader func(d *Decoder, s *Segment, v view) Reason

// maxLink bounds the table of link types; the registered ones end below 300.
const maxLink = 512

var links [maxLink]reader

func registerLink(t capture.LinkType, r reader) bool {
	links[t] = r
	return true
}

// Links returns the link types that can be decoded, in rising order.
func Links() []capture.LinkType {
	var types []capture.LinkType
	for t, r := range links {
		if r != nil {
			types = append(types, capture.LinkType(t))
		}
	}
	return types
}
