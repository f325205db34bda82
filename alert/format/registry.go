package format

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"telltale/alert"
)

// Format is one form of an Alert.
type Format struct {
	// Name selects it in the configuration and on the command line.
	Name string
	// About says in a few words what it is, for people.
	About string
	// Header is the syslog header its receivers expect.
	Header Header
	// encode appends a whole alert, pure ASCII, without a line end.
	encode func(dst []byte, a *alert.Alert) []byte
}

// MaxSize is the most bytes of an encoded alert. With the longest syslog header it stays
// below 8 KiB, which is where receivers begin to cut without a word (rsyslog's default
// maxMessageSize).
const MaxSize = 8<<10 - maxHeader

// Append appends a, without a line end. What makes it longer than MaxSize is left out:
// first the weakest facts, names and policies, then the ends of long texts.
func (f Format) Append(dst []byte, a *alert.Alert) []byte { return f.Within(dst, a, MaxSize) }

// Within is Append for receivers that take limit bytes and no more. There is little left
// to leave out below 2 KiB: the result may be longer.
func (f Format) Within(dst []byte, a *alert.Alert, limit int) []byte {
	at := len(dst)
	dst = f.encode(dst, a)
	for _, keep := range []int{16, 8, 4, 2, 1, 0} {
		if len(dst)-at <= limit {
			break
		}
		dst = f.encode(dst[:at], trim(a, keep))
	}
	return dst
}

var formats []Format

func register(f Format) bool {
	formats = append(formats, f)
	slices.SortFunc(formats, func(a, b Format) int { return cmp.Compare(a.Name, b.Name) })
	return true
}

// Formats returns all forms by name.
func Formats() []Format { return slices.Clone(formats) }

// ByName returns the form of that name.
func ByName(name string) (Format, error) {
	var names []string
	for i := range formats {
		if formats[i].Name == name {
			return formats[i], nil
		}
		names = append(names, formats[i].Name)
	}
	return Format{}, fmt.Errorf("unknown alert format %q: use one of %s", name, strings.Join(names, ", "))
}
