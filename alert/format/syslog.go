package format

import (
	"fmt"
	"strconv"
	"time"

	"telltale/alert"
)

// Header is the profile of a syslog header.
type Header uint8

// Header profiles.
const (
	// RFC5424 is the header of RFC 5424 §6.2 with structured data that carries the
	// alert's id and number.
	RFC5424 Header = iota
	// LEEFHeader is what IBM's parsers take before LEEF: priority, time to the
	// millisecond and host, and nothing else.
	LEEFHeader
	// RFC3164 is the header of RFC 3164 §4.1 without a tag, as the specification of CEF
	// shows it. Its time is UTC, which it cannot say.
	RFC3164
)

// HeaderByName returns the profile of that name: rfc5424, leef or rfc3164.
func HeaderByName(name string) (Header, error) {
	switch name {
	case "rfc5424":
		return RFC5424, nil
	case "leef":
		return LEEFHeader, nil
	case "rfc3164":
		return RFC3164, nil
	}
	return 0, fmt.Errorf("header %q: use rfc5424, rfc3164 or leef", name)
}

// enterprise is the number IANA keeps for documentation (RFC 5612 §2): this project has
// none of its own.
const enterprise = "32473"

// Limits of the header's fields (RFC 5424 §6), and our own of the sensor's name. The
// longest header has less than maxHeader bytes.
const (
	maxHost   = 255
	maxProcID = 128
	maxSensor = 128

	maxHeader = 1 << 10
)

// Syslog says what stands in the headers of all messages of one sender.
type Syslog struct {
	Facility uint8  // 0 to 23 (RFC 5424 §6.2.1)
	Host     string // name of the sending host
	ProcID   string // id of the process, may be empty
}

// Append appends the header for a in profile h, with the space before the message.
// There is no byte order mark: the message is ASCII (RFC 5424 §6.4, MSG-ANY).
func (s *Syslog) Append(dst []byte, h Header, a *alert.Alert) []byte {
	dst = append(dst, '<')
	dst = strconv.AppendUint(dst, uint64(s.Facility)*8+uint64(syslogSeverity(a.Severity)), 10)
	dst = append(dst, '>')
	t := time.Unix(0, a.Time).UTC()
	switch h {
	case RFC3164:
		dst = t.AppendFormat(dst, time.Stamp+" ")
	case LEEFHeader:
		dst = t.AppendFormat(append(dst, "1 "...), "2006-01-02T15:04:05.000Z ")
	default:
		dst = t.AppendFormat(append(dst, "1 "...), "2006-01-02T15:04:05.000000Z ")
	}
	dst = appendToken(dst, s.Host, maxHost)
	if h != RFC5424 {
		return append(dst, ' ')
	}
	dst = append(dst, " telltale "...)
	dst = appendToken(dst, s.ProcID, maxProcID)
	dst = append(dst, ' ')
	dst = append(dst, a.Kind...)
	dst = append(dst, " [telltale@"+enterprise+` id="`...)
	dst = append(dst, a.ID...)
	dst = append(dst, `" seq="`...)
	dst = strconv.AppendUint(dst, a.Seq, 10)
	dst = append(dst, `" epoch="`...)
	dst = strconv.AppendUint(dst, a.Epoch, 10)
	dst = append(dst, `" sensor="`...)
	dst = appendParam(dst, a.Sensor)
	return append(dst, `"] `...)
}

// syslogSeverity is the severity of RFC 5424 §6.2.1.
func syslogSeverity(s alert.Severity) uint8 {
	switch s {
	case alert.High:
		return 3 // error
	case alert.Medium:
		return 4 // warning
	case alert.Low:
		return 5 // notice
	}
	return 6 // informational
}

// appendToken appends s as a header field: printable ASCII without spaces, "-" if empty.
func appendToken(dst []byte, s string, limit int) []byte {
	if s == "" {
		return append(dst, '-')
	}
	for _, c := range []byte(s[:min(len(s), limit)]) {
		if c <= ' ' || c > '~' {
			c = '_'
		}
		dst = append(dst, c)
	}
	return dst
}

// appendParam appends s as the value of a parameter of structured data (RFC 5424 §6.3.3).
func appendParam(dst []byte, s string) []byte {
	for _, c := range []byte(s[:min(len(s), maxSensor)]) {
		switch {
		case c == '"' || c == '\\' || c == ']':
			dst = append(dst, '\\', c)
		case c < ' ' || c > '~':
			dst = append(dst, '_')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
