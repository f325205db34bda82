package feeds

import "fmt"

// Class is an evidence class: what a contact says about the host that made it.
type Class uint8

// Evidence classes in rising order of strength.
const (
	None      Class = iota // says nothing
	Located                // only the address: country, AS or a listed range
	Resolved               // a DNS question and no connection
	Visited                // web sites, accounts, downloads, embedded content
	Likely                 // leans to the product without proving it
	Device                 // the hardware itself is the vendor's
	Installed              // only the product does this
	classCount
)

var classNames = [classCount]string{"none", "located", "resolved", "visited", "likely", "device", "installed"}

// Classes is the number of values of Class, for tables indexed by it.
const Classes = int(classCount)

// String returns the lower-case name used in packs and in all output.
func (c Class) String() string {
	if c < classCount {
		return classNames[c]
	}
	return ""
}

// ParseClass returns the class of that name.
func ParseClass(s string) (Class, error) {
	for i, n := range classNames {
		if n == s {
			return Class(i), nil
		}
	}
	return None, fmt.Errorf("unknown evidence class %q: use one of none, located, resolved, visited, likely, device, installed", s)
}

// MarshalText implements encoding.TextMarshaler.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Class) UnmarshalText(b []byte) error {
	v, err := ParseClass(string(b))
	*c = v
	return err
}
