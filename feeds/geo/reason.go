package geo

import (
	"fmt"
	"net/netip"
	"strconv"
)

// ReasonKind is the sort of range an address lies in.
type ReasonKind uint8

// Sorts of ranges.
const (
	NoReason       ReasonKind = iota
	WatchedCountry            // its country is watched
	WatchedAS                 // its AS is watched
	Listed                    // a list has it
	NotHome                   // its country is none of the home countries
)

// Reason says why an address is foreign.
type Reason struct {
	Kind    ReasonKind
	Country string       // of WatchedCountry and NotHome
	ASN     uint32       // of WatchedAS
	List    string       // of Listed: the name of the list
	Prefix  netip.Prefix // of Listed: the longest prefix of it
	text    string
	key     string
}

// String returns the reason for people, like "watched registry country RU" or "listed
// in bogons.txt (198.51.100.0/24)".
func (r Reason) String() string {
	if r.Kind == Listed {
		return r.text + r.Prefix.String() + ")"
	}
	return r.text
}

// Key returns a name of the range that stays the same: "country:RU", "as:13238" or
// "list:bogons.txt". Addresses of one range have one key.
func (r Reason) Key() string {
	return r.key
}

func watchedCountry(code string) Reason {
	return Reason{Kind: WatchedCountry, Country: code, text: "watched registry country " + code, key: "country:" + code}
}

func notHome(code string) Reason {
	text := fmt.Sprintf("registry country %s is not home", code)
	return Reason{Kind: NotHome, Country: code, text: text, key: "country:" + code}
}

func watchedAS(n uint32) Reason {
	number := strconv.FormatUint(uint64(n), 10)
	return Reason{Kind: WatchedAS, ASN: n, text: "watched AS" + number, key: "as:" + number}
}

func listed(name string) Reason {
	return Reason{Kind: Listed, List: name, text: "listed in " + name + " (", key: "list:" + name}
}
