package capture

import "net/netip"

// Identity is what a message says about a host of the local network: the one that sent
// it, or the one it speaks of.
//
// Such Observations have Kind Identify. Their Client is the host that is meant, their
// Server where the message went; both are zero where the message lies below IP and
// names no address.
type Identity struct {
	// MAC is the hardware address that the message itself gives the host, zero if none.
	MAC [6]byte
	// Addr is the address that the message itself gives the host, invalid if none.
	Addr netip.Addr
	// Router says that the message calls the host a router (RFC 4861 §4.2, §4.4).
	Router bool
	// Fields holds what else it says, in the order of the message. The values are raw
	// bytes of the network, numbers and binary values as text.
	Fields []IdentityField
}

// IdentityField is one named value of an Identity.
type IdentityField struct {
	Key   FieldKey
	Value []byte
}

// Get returns the first value of key, nil if there is none.
func (i *Identity) Get(key FieldKey) []byte {
	for n := range i.Fields {
		if i.Fields[n].Key == key {
			return i.Fields[n].Value
		}
	}
	return nil
}

// FieldKey names a value of an Identity. One name stands for the same thing in every
// protocol that has it.
type FieldKey uint8

// Keys, in the order they are documented (docs/observations.md).
const (
	FieldNone         FieldKey = iota
	FieldMessage               // what kind of message it is
	FieldHostname              // name of the host
	FieldFQDN                  // full name of the host
	FieldDomain                // workgroup, domain
	FieldSuffix                // NetBIOS suffix of the name, two hexadecimal digits
	FieldManufacturer          // maker, as the device calls it
	FieldModel                 // model, platform or device type
	FieldSerial                // serial number
	FieldHardware              // hardware version
	FieldFirmware              // firmware version
	FieldSoftware              // software version
	FieldDescription           // free text about the system
	FieldCapabilities          // what the system does: bridge, router, phone ...
	FieldVendorClass           // DHCP vendor class
	FieldEnterprise            // enterprise number (IANA) of the vendor class
	FieldClientID              // DHCP client identifier, hexadecimal
	FieldDUID                  // DHCPv6 unique identifier, hexadecimal
	FieldOptions               // DHCP options asked for, decimal numbers with commas
	FieldRequested             // address asked for
	FieldChassis               // chassis identifier
	FieldPort                  // port the message left by
	FieldServer                // SSDP SERVER
	FieldUserAgent             // SSDP USER-AGENT
	FieldUSN                   // SSDP unique service name, WS-Discovery endpoint
	FieldType                  // list: SSDP NT or ST, WS-Discovery types
	FieldScope                 // list: WS-Discovery scopes
	FieldLocation              // list: SSDP LOCATION, WS-Discovery XAddrs
	FieldService               // list: DNS-SD service instances
	fieldCount
)

var fieldNames = [fieldCount]string{
	"", "message", "hostname", "fqdn", "domain", "suffix", "manufacturer", "model", "serial",
	"hardware", "firmware", "software", "description", "capabilities", "vendor_class",
	"enterprise", "client_id", "duid", "options", "requested", "chassis", "port", "server",
	"user_agent", "usn", "types", "scopes", "locations", "services",
}

// String returns the lower-case name used in packs and in all output.
func (k FieldKey) String() string {
	if k < fieldCount {
		return fieldNames[k]
	}
	return ""
}

// IsList reports whether an Identity may hold several values of k.
func (k FieldKey) IsList() bool { return k >= FieldType && k < fieldCount }

// FieldKeys returns all keys in the order they are documented.
func FieldKeys() []FieldKey {
	var all []FieldKey
	for k := FieldNone + 1; k < fieldCount; k++ {
		all = append(all, k)
	}
	return all
}

// IdentityProtos returns the protocols whose messages tell who a host is.
func IdentityProtos() []Proto {
	return []Proto{ProtoMDNS, ProtoDHCP, ProtoDHCPv6, ProtoARP, ProtoNDP, ProtoNBNS, ProtoNBDGM, ProtoLLDP, ProtoCDP, ProtoSSDP, ProtoWSD, ProtoSADP, ProtoDHIP}
}

func (i *Identity) appendJSON(dst []byte) []byte {
	dst = append(dst, `,"identity":{`...)
	first := true
	key := func(name string) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, '"')
		dst = append(dst, name...)
		dst = append(dst, '"', ':')
	}
	if i.MAC != [6]byte{} {
		key("mac")
		dst = append(dst, '"')
		dst = AppendMAC(dst, i.MAC)
		dst = append(dst, '"')
	}
	if i.Addr.IsValid() {
		key("ip")
		dst = append(dst, '"')
		dst = i.Addr.AppendTo(dst)
		dst = append(dst, '"')
	}
	if i.Router {
		key("router")
		dst = append(dst, "true"...)
	}
	for n := range i.Fields {
		f := &i.Fields[n]
		if i.before(n) {
			continue
		}
		key(f.Key.String())
		if f.Key.IsList() {
			dst = i.appendList(dst, n)
			continue
		}
		dst = appendText(dst, f.Value)
	}
	return append(dst, '}')
}

// before says that the key of the n-th field stands at an earlier one too.
func (i *Identity) before(n int) bool {
	for k := range n {
		if i.Fields[k].Key == i.Fields[n].Key {
			return true
		}
	}
	return false
}

// appendList appends all values of the n-th field's key, which is the first of them.
func (i *Identity) appendList(dst []byte, n int) []byte {
	dst = append(dst, '[')
	for k := n; k < len(i.Fields); k++ {
		if i.Fields[k].Key != i.Fields[n].Key {
			continue
		}
		if k > n {
			dst = append(dst, ',')
		}
		dst = appendText(dst, i.Fields[k].Value)
	}
	return append(dst, ']')
}
