package flow

import (
	"telltale/capture"
	"telltale/capture/decode"
	"telltale/capture/proto"
)

// asks notes what an HTTP message says of a connection asked of a proxy. A request on a
// connection that was refused before is another try, as with a password.
func (e *entry) asks(o *capture.Observation) {
	switch {
	case o.Kind == capture.Request:
		e.flags &^= flagAsked
		if o.HTTP.Major == 0 && string(o.HTTP.Method) == "CONNECT" {
			e.set(flagAsked)
		}
		if e.outcome == capture.Refused {
			e.outcome = capture.Accepted
		}
	case !e.has(flagAsked):
		return
	case o.HTTP.Status/100 == 2:
		o.HTTP.Connect = true
		e.flags &^= flagAsked
	default:
		o.HTTP.Connect = true
		e.refuse()
	}
}

// refuse notes that the proxy will not, or cannot, connect. What was exchanged before
// stays so.
func (e *entry) refuse() {
	if e.outcome < capture.Exchanged {
		e.outcome = capture.Refused
	}
}

// proxySaid says whether the server's segment s is the proxy's own word. That is no
// exchange with the one it was asked for. HTTP was read before; the replies of SOCKS are
// judged here.
func (e *entry) proxySaid(side int, s *decode.Segment) bool {
	h := &e.half[side]
	reply := proto.Asking
	if e.app != capture.ProtoHTTP || !h.told {
		reply = proto.SOCKSReply(s.Payload)
	}
	switch reply {
	case proto.NoReply:
		if h.buf != 0 && !h.told {
			return true // the next bytes tell
		}
		e.flags &^= flagAsked
		return false
	case proto.Refused:
		e.refuse()
	case proto.Granted:
		e.flags &^= flagAsked
	}
	if e.outcome == capture.Attempted {
		e.outcome = capture.Accepted
	}
	return true
}
