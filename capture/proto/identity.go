package proto

import (
	"bytes"
	"errors"
	"net/netip"
	"strconv"

	"telltale/capture"
)

const (
	identityMaxFields = 32  // kept of one message
	identityMaxValue  = 256 // bytes kept of one value
)

var errIdentity = errors.New("read identity message: not this protocol, or cut before anything was said")

// identity collects what one message says about a host. Values go into the log's
// memory at once.
type identity struct {
	log    *capture.Log
	mac    [6]byte
	addr   netip.Addr
	router bool
	fields [identityMaxFields]capture.IdentityField
	n      int
}

// add keeps value without the blanks around it. A key that is no list is kept once.
func (i *identity) add(key capture.FieldKey, value []byte) {
	if value = identityTrim(value); i.wants(key) && len(value) > 0 {
		i.put(key, i.log.Copy(value[:min(len(value), identityMaxValue)]))
	}
}

// text is add for a text of our own.
func (i *identity) text(key capture.FieldKey, value string) {
	if i.wants(key) {
		b := i.log.Bytes(len(value))
		copy(b, value)
		i.put(key, b)
	}
}

// hex keeps value as hexadecimal digits.
func (i *identity) hex(key capture.FieldKey, value []byte) {
	const digits = "0123456789abcdef"
	if !i.wants(key) || len(value) == 0 {
		return
	}
	value = value[:min(len(value), identityMaxValue/2)]
	b := i.log.Bytes(2 * len(value))
	for n, c := range value {
		b[2*n], b[2*n+1] = digits[c>>4], digits[c&15]
	}
	i.put(key, b)
}

// number keeps value as decimal digits.
func (i *identity) number(key capture.FieldKey, value uint32) {
	var buf [10]byte
	i.add(key, strconv.AppendUint(buf[:0], uint64(value), 10))
}

// numbers keeps values of size bytes each as decimal numbers with commas between.
func (i *identity) numbers(key capture.FieldKey, values []byte, size int) {
	var buf [identityMaxValue]byte
	b := buf[:0]
	for n := 0; n+size <= len(values) && len(b) < identityMaxValue-6; n += size {
		if n > 0 {
			b = append(b, ',')
		}
		v := uint64(0)
		for _, c := range values[n : n+size] {
			v = v<<8 | uint64(c)
		}
		b = strconv.AppendUint(b, v, 10)
	}
	i.add(key, b)
}

// address keeps a.
func (i *identity) address(key capture.FieldKey, a netip.Addr) {
	var buf [64]byte
	i.add(key, a.AppendTo(buf[:0]))
}

// names keeps the words whose bits are set.
func (i *identity) bits(key capture.FieldKey, set uint32, words []string) {
	var buf [identityMaxValue]byte
	b := buf[:0]
	for n, w := range words {
		if set&(1<<n) == 0 || w == "" {
			continue
		}
		if len(b) > 0 {
			b = append(b, ',')
		}
		b = append(b, w...)
	}
	i.add(key, b)
}

// words adds each of the words of text to a list.
func (i *identity) words(key capture.FieldKey, text []byte) {
	for {
		text = identityTrim(text)
		if len(text) == 0 {
			return
		}
		n := 0
		for n < len(text) && !identityBlank(text[n]) {
			n++
		}
		i.add(key, text[:n])
		text = text[n:]
	}
}

func (i *identity) wants(key capture.FieldKey) bool {
	return i.n < len(i.fields) && (key.IsList() || i.get(key) == nil)
}

func (i *identity) put(key capture.FieldKey, value []byte) {
	i.fields[i.n] = capture.IdentityField{Key: key, Value: value}
	i.n++
}

// get returns the first value of key.
func (i *identity) get(key capture.FieldKey) []byte {
	for n := range i.n {
		if i.fields[n].Key == key {
			return i.fields[n].Value
		}
	}
	return nil
}

// report appends the Observation.
func (i *identity) report(p capture.Proto) *capture.Observation {
	o := i.log.Add(p, capture.Identify)
	o.ID.MAC, o.ID.Addr, o.ID.Router = i.mac, i.addr, i.router
	if i.n > 0 {
		o.ID.Fields = i.log.Fields(i.n)
		copy(o.ID.Fields, i.fields[:i.n])
	}
	return o
}

// setMAC takes b as the host's hardware address if it can be one: six bytes, neither
// zero nor a group (IEEE 802 §8.2).
func (i *identity) setMAC(b []byte) {
	if len(b) == 6 {
		i.takeMAC([6]byte(b))
	}
}

func (i *identity) takeMAC(mac [6]byte) {
	if mac[0]&1 == 0 && mac != [6]byte{} {
		i.mac = mac
	}
}

// setAddr takes a as the host's address if it can be one.
func (i *identity) setAddr(a netip.Addr) {
	if a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() {
		i.addr = a.Unmap().WithZone("")
	}
}

// setAddr4 is setAddr for four bytes.
func (i *identity) setAddr4(b []byte) { i.setAddr(netip.AddrFrom4([4]byte(b))) }

// identityMAC reads a hardware address as text, with any separator or none; zero if it
// is none.
func identityMAC(text []byte) (mac [6]byte) {
	n := 0
	for _, c := range text {
		d := httpDigit(c)
		if d > 15 {
			continue
		}
		if n == 12 {
			return [6]byte{}
		}
		mac[n/2] = mac[n/2]<<4 | byte(d)
		n++
	}
	if n != 12 {
		return [6]byte{}
	}
	return mac
}

// identityAddr reads an IPv4 address as text; invalid if it is none.
func identityAddr(text []byte) netip.Addr {
	var a [4]byte
	text = identityTrim(text)
	for n := range a {
		part, rest, more := bytes.Cut(text, []byte{'.'})
		v := httpNumber(part, 10)
		if v < 0 || v > 255 || more != (n < 3) {
			return netip.Addr{}
		}
		a[n], text = byte(v), rest
	}
	return netip.AddrFrom4(a)
}

// identityTrim strips blanks and zero bytes from both ends.
func identityTrim(b []byte) []byte {
	for len(b) > 0 && identityBlank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && identityBlank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func identityBlank(c byte) bool { return c == 0 || httpIsBlank(c) }
