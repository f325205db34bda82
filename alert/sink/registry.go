// Package sink holds the receivers of Alerts, one file each: what opens a file or a
// connection, writes records and reads acknowledgements. When to send, to send again or
// to give up is the Dispatcher's to decide.
package sink

import (
	"cmp"
	"slices"
	"strings"

	"telltale/alert"
)

// Type is a kind of receiver. Each is one file that registers it by a package-level
// variable:
//
//	var _ = register(Type{Name: "syslog", ...})
type Type struct {
	// Name is the value of type in the configuration.
	Name string
	// About says in one line what it is.
	About string
	// Acked says that the receiver acknowledges records: then none is lost. Others are
	// best effort, and labelled so.
	Acked bool
	// Formats are the formats that its receivers understand, the default first. Nil is
	// any, native by default.
	Formats []string
	// Window is the default of what is sent again after a connection was lost. Only for
	// types that do not acknowledge.
	Window alert.Window
	// Observations says that it can also take the observation log: Records without an
	// Alert.
	Observations bool
	// New makes a sink from its entry in the configuration. It reads and checks settings
	// and credentials, and opens no connection.
	New func(e *Entry) (alert.Sink, error)
}

var types []Type

func register(t Type) bool {
	types = append(types, t)
	slices.SortFunc(types, func(a, b Type) int { return cmp.Compare(a.Name, b.Name) })
	return true
}

// Types returns the registered types by name.
func Types() []Type { return slices.Clone(types) }

func typeNamed(name string) (Type, bool) {
	i := slices.IndexFunc(types, func(t Type) bool { return t.Name == name })
	if i < 0 {
		return Type{}, false
	}
	return types[i], true
}

func typeNames() string {
	names := make([]string, len(types))
	for i := range types {
		names[i] = types[i].Name
	}
	return strings.Join(names, ", ")
}
