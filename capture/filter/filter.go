package filter

import (
	"fmt"
	"sync"
	"sync/atomic"

	"telltale/capture"
)

// Filter says which packets are wanted: those an expression or a ready program
// accepts. It may be used by several goroutines.
type Filter struct {
	text     string
	tree     node    // nil if program is given
	program  Program // for all link types
	mu       sync.Mutex
	compiled atomic.Pointer[[]forLink]
}

// forLink is the program of a Filter for the packets of one link type.
type forLink struct {
	link    capture.LinkType
	program Program
}

// Parse compiles an expression. What is wrong with it is an *Error.
func Parse(expression string) (*Filter, error) {
	n, err := parse(expression)
	if err != nil {
		return nil, err
	}
	return &Filter{text: expression, tree: n}, nil
}

// FromProgram returns a Filter that runs p, whatever the link type of a packet. name
// says where the program comes from.
func FromProgram(name string, p Program) (*Filter, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	return &Filter{text: "program in " + name, program: p}, nil
}

// String returns the expression, or the name of the program; nothing for a nil Filter.
func (f *Filter) String() string {
	if f == nil {
		return ""
	}
	return f.text
}

// Program returns the program for packets of a link type. stripped says that it will
// run in the kernel, where the outer VLAN tag lies beside the packet. The result is
// what SO_ATTACH_FILTER takes.
func (f *Filter) Program(link capture.LinkType, stripped bool) (Program, error) {
	if f.tree == nil {
		return f.program, nil
	}
	return compile(f.tree, link, stripped)
}

// Match says whether p is wanted. An error says that the filter cannot be applied to
// packets of p's link type. It allocates at the first packet of a link type only.
func (f *Filter) Match(p *capture.Packet) (bool, error) {
	program := f.program
	if f.tree != nil {
		var err error
		if program, err = f.forLink(p.Link); err != nil {
			return false, err
		}
	}
	return program.Match(p.Data, p.Length, p.VLAN), nil
}

func (f *Filter) forLink(link capture.LinkType) (Program, error) {
	if list := f.compiled.Load(); list != nil {
		for i := range *list {
			if (*list)[i].link == link {
				return (*list)[i].program, nil
			}
		}
	}
	p, err := compile(f.tree, link, true)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	list := []forLink{{link, p}}
	if old := f.compiled.Load(); old != nil {
		list = append(list, *old...)
	}
	f.compiled.Store(&list)
	return p, nil
}

// Apply removes from b the packets that are not wanted, keeps the order and the
// ordinals of the others, and returns how many it removed.
func (f *Filter) Apply(b *capture.Batch) (removed int, err error) {
	kept := b.Packets[:0]
	for i := range b.Packets {
		ok, err := f.Match(&b.Packets[i])
		if err != nil {
			return 0, fmt.Errorf("packet %d: %w", b.Packets[i].Ordinal, err)
		}
		if ok {
			kept = append(kept, b.Packets[i])
		}
	}
	removed = len(b.Packets) - len(kept)
	b.Packets = kept
	return removed, nil
}
