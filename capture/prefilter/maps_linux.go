package prefilter

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/cilium/ebpf"
)

// maps is the memory that a program shares with user space.
type maps struct {
	control *ebpf.Map // epoch, number of vendors
	rules   *ebpf.Map // bitmaps of ports and shapes
	flows   *ebpf.Map // sets of ways
	counts  *ebpf.Map // per processor and class
	vendors *ebpf.Map // per processor and address

	mu       sync.Mutex
	epoch    atomic.Uint32
	watching uint32
	watched  map[netip.Addr]bool
}

func newMaps(conf Config) (*maps, error) {
	m := &maps{watched: map[netip.Addr]bool{}}
	const countSize, addressSize = 16, 16
	for _, s := range []struct {
		to   **ebpf.Map
		spec ebpf.MapSpec
	}{
		{&m.control, ebpf.MapSpec{Name: "tt_control", Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 1}},
		{&m.rules, ebpf.MapSpec{Name: "tt_rules", Type: ebpf.Array, KeySize: 4, ValueSize: uint32(2 * len(bitmap{})), MaxEntries: 1}},
		{&m.flows, ebpf.MapSpec{Name: "tt_flows", Type: ebpf.Array, KeySize: 4, ValueSize: ways * waySize, MaxEntries: uint32(conf.Flows / ways)}},
		{&m.counts, ebpf.MapSpec{Name: "tt_counts", Type: ebpf.PerCPUArray, KeySize: 4, ValueSize: countSize, MaxEntries: uint32(ClassCount)}},
		{&m.vendors, ebpf.MapSpec{Name: "tt_vendors", Type: ebpf.PerCPUHash, KeySize: addressSize, ValueSize: countSize, MaxEntries: uint32(conf.Vendors)}},
	} {
		made, err := ebpf.NewMap(&s.spec)
		if err != nil {
			m.close()
			return nil, fmt.Errorf("creating the map %s: %w", s.spec.Name, err)
		}
		*s.to = made
	}
	rules := append(append([]byte(nil), conf.Rules.ports[:]...), conf.Rules.shapes[:]...)
	if err := m.rules.Put(uint32(0), rules); err != nil {
		m.close()
		return nil, fmt.Errorf("filling the rules: %w", err)
	}
	return m, nil
}

// tick tells the program the packet time, in nanoseconds.
func (m *maps) tick(now int64) error {
	e := epochOf(now)
	if m.epoch.Load() == e {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epoch.Store(e)
	return m.steer()
}

// steer writes the control values.
func (m *maps) steer() error {
	if err := m.control.Put(uint32(0), [2]uint32{m.epoch.Load(), m.watching}); err != nil {
		return fmt.Errorf("steering the prefilter: %w", err)
	}
	return nil
}

func (m *maps) totals() (all Counts, err error) {
	for c := range ClassCount {
		var each []Count
		if err := m.counts.Lookup(uint32(c), &each); err != nil {
			return all, fmt.Errorf("reading the counts of the prefilter: %w", err)
		}
		all[c] = sum(each)
	}
	return all, nil
}

func sum(each []Count) (all Count) {
	for _, n := range each {
		all.Packets += n.Packets
		all.Bytes += n.Bytes
	}
	return all
}

// watch makes addrs those that are counted apart. Of those beyond the room there is
// none is counted.
func (m *maps) watch(addrs []netip.Addr) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	wanted := make(map[netip.Addr]bool, len(addrs))
	for _, a := range addrs {
		wanted[a.Unmap()] = true
	}
	for a := range m.watched {
		if !wanted[a] {
			if err := m.vendors.Delete(a.As16()); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
				return fmt.Errorf("forgetting %s: %w", a, err)
			}
			delete(m.watched, a)
		}
	}
	cpus, err := ebpf.PossibleCPU()
	if err != nil {
		return fmt.Errorf("counting processors: %w", err)
	}
	for a := range wanted {
		if m.watched[a] || len(m.watched) >= int(m.vendors.MaxEntries()) {
			continue
		}
		if err := m.vendors.Put(a.As16(), make([]Count, cpus)); err != nil {
			return fmt.Errorf("watching %s: %w", a, err)
		}
		m.watched[a] = true
	}
	m.watching = uint32(len(m.watched))
	return m.steer()
}

// seen returns what was held back of each watched address.
func (m *maps) seen() (map[netip.Addr]Count, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[netip.Addr]Count, len(m.watched))
	for a := range m.watched {
		var each []Count
		if err := m.vendors.Lookup(a.As16(), &each); err != nil {
			return nil, fmt.Errorf("reading the count of %s: %w", a, err)
		}
		all[a] = sum(each)
	}
	return all, nil
}

func (m *maps) close() {
	for _, each := range []*ebpf.Map{m.control, m.rules, m.flows, m.counts, m.vendors} {
		if each != nil {
			_ = each.Close()
		}
	}
}
