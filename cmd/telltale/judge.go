package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"telltale/alert/sink"
	"telltale/capture/decode"
	"telltale/capture/flow"
	"telltale/detect"
	"telltale/feeds"
	"telltale/feeds/geo"
	"telltale/inventory/report"
)

// judgeFlags say by what captures are judged. They add to the configuration file, or
// take the place of its single values.
type judgeFlags struct {
	Config            string   `short:"c" help:"Read settings from a YAML file (docs/configuration.md)." placeholder:"FILE"`
	Packs             []string `help:"Add or override vendor packs from a directory or a bundle." placeholder:"DIR"`
	Vendor            []string `help:"Judge only these vendors (feeds list shows them)." placeholder:"ID"`
	Policy            []string `help:"Judge only the vendors these policies bind, and run only their clocks." placeholder:"ID"`
	Geo               []string `help:"Country or AS database (mmdb); later ones win." placeholder:"FILE"`
	HomeNet           []string `help:"Network of one's own hosts; default: private space." placeholder:"CIDR"`
	HomeCountry       []string `help:"Report every other registry country." placeholder:"CC"`
	WatchCountry      []string `help:"Report contact with these registry countries; 'none' for no country. Default RU,BY,CN,IR,KP." placeholder:"CC"`
	WatchAS           []uint32 `name:"watch-as" help:"Report contact with these autonomous systems." placeholder:"ASN"`
	WatchList         []string `help:"Report contact with the networks listed in a file, one a line." placeholder:"FILE"`
	Role              []string `help:"Declare what a host does for others: CIDR=resolver|proxy|nat|mail|enrichment." placeholder:"CIDR=ROLE"`
	AlertEncryptedDNS bool     `name:"alert-encrypted-dns" help:"Also alert when a host first uses an encrypted resolver; the summary lists all uses."`
	Sensor            string   `help:"Name of this sensor in alerts." placeholder:"NAME"`
}

// defaultSensor is the name of a sensor that was given none.
const defaultSensor = "telltale"

// knowledge is all that judging needs, loaded.
type knowledge struct {
	detect   detect.Config
	sensor   string
	packs    []string
	policies []string
	geo      []string
	warnings []string
	watched  []geo.List // lists of the configuration that name foreign ranges
	sinks    []sink.Entry
	outbox   outboxConfig
	observe  []sink.Entry
}

// load reads the configuration, the packs and the databases.
func (f *judgeFlags) load() (*knowledge, error) {
	c, err := f.config()
	if err != nil {
		return nil, err
	}
	return f.build(c, false)
}

// config reads the configuration and lays the flags over it.
func (f *judgeFlags) config() (*config, error) {
	c, err := readConfig(f.Config)
	if err != nil {
		return nil, usage(err)
	}
	f.override(c)
	return c, nil
}

// build makes knowledge of what the configuration names. If it is strict, packs must be
// without errors of the linter.
func (f *judgeFlags) build(c *config, strict bool) (*knowledge, error) {
	k := &knowledge{sensor: c.Sensor, policies: c.Policies, sinks: c.Sinks, outbox: c.Outbox, observe: c.Observations}
	if k.sensor == "" {
		k.sensor = defaultSensor
	}
	lib, err := loadPacks(c.Packs, c.PackKey)
	if err != nil {
		return nil, fmt.Errorf("loading vendor packs: %w", err)
	}
	if strict {
		if err := lintErrors(lib); err != nil {
			return nil, err
		}
	}
	if err := k.lists(c, lib); err != nil {
		return nil, fmt.Errorf("loading lists: %w", err)
	}
	set, err := feeds.Compile(lib, feeds.Options{Policies: c.Policies, Vendors: c.Vendors, Own: c.OwnZones})
	if err != nil {
		return nil, usage(fmt.Errorf("compiling vendor packs: %w", err))
	}
	if err := k.filters(lib); err != nil {
		return nil, usage(err)
	}
	if lib = nil; set.Len() > manyEntries {
		debug.FreeOSMemory()
	}
	k.detect.Set = set
	k.packs = []string{versions(set.Packs()) + " (" + set.Generation() + ")"}
	if err := errors.Join(k.judging(c), k.ranges(c, set)); err != nil {
		return nil, usage(err)
	}
	if err := k.detect.Validate(); err != nil {
		return nil, usage(err)
	}
	return k, nil
}

// filters checks that the vendors and policies of the sinks are known: alerts on others
// never come.
func (k *knowledge) filters(lib *feeds.Library) error {
	var errs []error
	for i := range k.sinks {
		s := &k.sinks[i]
		if err := (feeds.Options{Vendors: s.Vendors, Policies: s.Policies}).Validate(lib); err != nil {
			errs = append(errs, s.Wrap(i, err))
		}
	}
	return errors.Join(errs...)
}

// versions names packs and lists; of many only how many there are.
func versions(list []string) string {
	const few = 8
	if len(list) <= few {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%d packs and lists; telltale feeds list shows them", len(list))
}

// override lays the flags over the configuration file.
func (f *judgeFlags) override(c *config) {
	c.Packs = append(c.Packs, f.Packs...)
	c.Geo = append(c.Geo, f.Geo...)
	c.WatchLists = append(c.WatchLists, f.WatchList...)
	for _, v := range []struct{ flag, conf *[]string }{
		{&f.Vendor, &c.Vendors},
		{&f.Policy, &c.Policies},
		{&f.HomeNet, &c.HomeNetworks},
		{&f.HomeCountry, &c.HomeCountries},
		{&f.WatchCountry, &c.WatchCountries},
	} {
		if len(*v.flag) > 0 {
			*v.conf = *v.flag
		}
	}
	if len(f.WatchAS) > 0 {
		c.WatchASNs = f.WatchAS
	}
	for _, r := range f.Role {
		network, role, _ := strings.Cut(r, "=")
		c.Roles = append(c.Roles, roleConfig{Network: network, Role: role})
	}
	c.AlertEncryptedDNS = c.AlertEncryptedDNS || f.AlertEncryptedDNS
	if f.Sensor != "" {
		c.Sensor = f.Sensor
	}
}

// judging fills in what concerns hosts.
func (k *knowledge) judging(c *config) error {
	var errs []error
	k.detect.TellEncryptedDNS = c.AlertEncryptedDNS
	for _, s := range c.HomeNetworks {
		p, err := parseNet(s)
		errs = append(errs, err)
		k.detect.Home = append(k.detect.Home, p)
	}
	for _, r := range c.Roles {
		p, err := parseNet(r.Network)
		role, err2 := detect.ParseRole(r.Role)
		errs = append(errs, err, err2)
		k.detect.Roles = append(k.detect.Roles, detect.RoleDecl{Net: p, Role: role})
	}
	for i, a := range c.Allow {
		entry, err := a.entry()
		if err != nil {
			errs = append(errs, fmt.Errorf("allow entry %d: %w", i+1, err))
		}
		k.detect.Allow = append(k.detect.Allow, entry)
	}
	return errors.Join(errs...)
}

// ranges opens the country and AS databases and says what is foreign.
func (k *knowledge) ranges(c *config, set *feeds.Set) error {
	db, err := geo.Open(geo.Config{Files: c.Geo})
	if err != nil {
		return err
	}
	k.detect.Geo = db
	conf := geo.WatchConfig{
		HomeCountries: c.HomeCountries, WatchedCountries: c.WatchCountries, WatchedASNs: c.WatchASNs,
		SharedASN: func(n uint32) bool { _, shared := set.SharedASN(n); return shared },
	}
	switch {
	case len(c.WatchCountries) == 1 && c.WatchCountries[0] == "none":
		conf.WatchedCountries = nil
	case len(c.WatchCountries) == 0 && len(c.HomeCountries) == 0:
		conf.WatchedCountries = geo.DefaultCountries()
	}
	for _, name := range c.WatchLists {
		l, err := readList(name)
		if err != nil {
			return err
		}
		conf.Lists = append(conf.Lists, l)
	}
	conf.Lists = append(conf.Lists, k.watched...)
	for _, s := range db.Sources() {
		k.geo = append(k.geo, fmt.Sprintf("%s (%s), built %s", s.Name, s.Kind, time.Unix(0, s.Built).UTC().Format(time.DateOnly)))
		if s.Stale(time.Now().UnixNano()) {
			k.warnings = append(k.warnings, fmt.Sprintf("%s is older than 90 days: give a newer one with --geo", s.Name))
		}
	}
	k.detect.Watch, err = geo.NewWatch(conf)
	return err
}

func readList(name string) (geo.List, error) {
	f, err := os.Open(name)
	if err != nil {
		return geo.List{}, fmt.Errorf("opening a watch list: %w", err)
	}
	defer func() { _ = f.Close() }()
	return geo.ReadList(f, filepath.Base(name))
}

// parseNet reads a prefix or a single address.
func parseNet(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is neither a network nor an address: write it like 10.0.0.0/8", s)
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// dropped lists the packets that were not followed, by reason.
func dropped(res flow.Result) []report.Tally {
	var all []report.Tally
	for i := decode.OK + 1; i < decode.ReasonCount; i++ {
		if i == decode.Duplicate || i == decode.Message {
			continue // a copy was read where it came first; of a message no flow comes
		}
		all = append(all, report.Tally{Name: i.String(), N: res.Decode.Reasons[i]})
	}
	return all
}

// limits lists the bounds that were reached.
func limits(res flow.Result, c detect.Coverage) []report.Tally {
	var all []report.Tally
	for _, t := range []report.Tally{
		{Name: "flows forgotten early, the table was full (--max-flows)", N: res.Flow.Evicted},
		{Name: "messages given up, the assembly buffers were full", N: res.Flow.AssemblyFull},
		{Name: "messages given up, too large", N: res.Flow.AssemblyTooBig},
		{Name: "messages given up, bytes were missing", N: res.Flow.Gaps},
		{Name: "flows whose overlapping segments differ, as in evasion", N: res.Flow.Conflicts},
		{Name: "QUIC and DTLS hellos given up, too many at once", N: res.Flow.QUICFull},
		{Name: "HTTP/2 connections not read, too many at once", N: res.Flow.ReadersFull},
		{Name: "messages on a protocol's own port that are not that protocol", N: res.Flow.Rejected},
		{Name: "packets whose copies count, more came within --dedup than are remembered", N: res.Decode.Forgotten},
		{Name: "observations of hosts beyond the host table", N: c.HostsLost},
		{Name: "connections to encrypted resolvers that are not listed", N: c.EncryptedLost},
		{Name: "ECH configurations forgotten while in use", N: c.ECHForgotten},
		{Name: "hardware addresses forgotten early, the table was full", N: c.StationsLost},
		{Name: "devices a pack knows whose IP address was not seen", N: uint64(c.Unaddressed)},
		{Name: "flows of findings whose bytes are not counted", N: c.FlowsLost},
	} {
		if t.N > 0 {
			all = append(all, t)
		}
	}
	return all
}
