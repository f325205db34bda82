package generate

import (
	"errors"
	"net/netip"
	"time"
)

// Program is what an installed product of some vendor asks for by itself.
type Program struct {
	// Names it speaks TLS with in each round.
	Names []string
	// Agent is the User-Agent of a fetch over HTTP that follows; empty: there is none.
	Agent string
}

// ProgramHost returns the address of the host that has the program of that number.
func ProgramHost(number int) netip.Addr { return host(200 + number) }

// Programs returns the traffic of programs, each on a host of its own, that look for
// updates and report to their vendor once in every such time. It fails if there are none,
// more than 10000, or one asks for what DNS cannot carry.
func Programs(list []Program, rounds int, every time.Duration, seed uint64) (*Capture, error) {
	if len(list) == 0 || len(list) > 10000 || rounds < 1 || every < time.Minute {
		return nil, errors.New("generating: programs must be 1 to 10000, rounds at least 1, every at least a minute")
	}
	t := newTrace(seed)
	for number, p := range list {
		if err := valid(p.Names); err != nil {
			return nil, err
		}
		first := start().Add(t.between(0, every))
		for round := range rounds {
			t.program(first.Add(time.Duration(round)*every), ProgramHost(number), p)
		}
	}
	return t.finish()
}

// program is one round of a program.
func (t *trace) program(at time.Time, client netip.Addr, p Program) {
	for _, name := range p.Names {
		at = t.consult(at, client, name, false).Add(t.between(10*time.Millisecond, time.Second))
	}
	if p.Agent != "" {
		d := t.dial(at, endpoint{client, 0}, endpoint{UpdateServer(), 80})
		t.request(d, "/check", p.Agent, t.bytes(200))
	}
}
