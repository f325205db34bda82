package main

import (
	"fmt"
	"os"
	"time"

	"github.com/goccy/go-yaml"

	"telltale/alert/sink"
	"telltale/detect"
)

// config is the configuration file. docs/configuration.md describes it.
type config struct {
	Sensor            string        `yaml:"sensor"`
	Packs             []string      `yaml:"packs"`
	PackKey           string        `yaml:"pack_key"`
	Feeds             []feedConfig  `yaml:"feeds"`
	Update            updateConfig  `yaml:"update"`
	Vendors           []string      `yaml:"vendors"`
	Policies          []string      `yaml:"policies"`
	Geo               []string      `yaml:"geo"`
	HomeNetworks      []string      `yaml:"home_networks"`
	HomeCountries     []string      `yaml:"home_countries"`
	WatchCountries    []string      `yaml:"watch_countries"`
	WatchASNs         []uint32      `yaml:"watch_asns"`
	WatchLists        []string      `yaml:"watch_lists"`
	OwnZones          []string      `yaml:"own_zones"`
	AlertEncryptedDNS bool          `yaml:"alert_encrypted_dns"`
	Roles             []roleConfig  `yaml:"roles"`
	Allow             []allowConfig `yaml:"allow"`
	Sinks             []sink.Entry  `yaml:"sinks"`
	Outbox            outboxConfig  `yaml:"outbox"`
	Observations      []sink.Entry  `yaml:"observations"`
}

// outboxConfig bounds the alerts that wait for their receivers.
type outboxConfig struct {
	MaxAlerts int64  `yaml:"max_alerts"`
	MaxMiB    int64  `yaml:"max_mib"`
	Policy    string `yaml:"policy"` // drop-oldest, drop-newest, stop
}

type roleConfig struct {
	Network string `yaml:"network"`
	Role    string `yaml:"role"`
}

type allowConfig struct {
	Network string `yaml:"network"`
	Vendor  string `yaml:"vendor"`
	Name    string `yaml:"name"`
	Reason  string `yaml:"reason"`
	Owner   string `yaml:"owner"`
	Expires string `yaml:"expires"` // YYYY-MM-DD, the first day it no longer holds
}

func (a *allowConfig) entry() (detect.Allow, error) {
	e := detect.Allow{Vendor: a.Vendor, Name: a.Name, Reason: a.Reason, Owner: a.Owner}
	if a.Network != "" {
		p, err := parseNet(a.Network)
		if err != nil {
			return e, err
		}
		e.Net = p
	}
	if a.Expires == "" {
		return e, nil // Validate says that it is missing
	}
	t, err := time.Parse(time.DateOnly, a.Expires)
	if err != nil {
		return e, fmt.Errorf("cannot read the expiry date %q: write it like 2026-12-31", a.Expires)
	}
	e.Expires = t
	return e, nil
}

// readConfig reads a configuration file; unknown fields are errors. Without a name it
// is empty.
func readConfig(name string) (*config, error) {
	c := &config{}
	if name == "" {
		return c, nil
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if err := yaml.UnmarshalWithOptions(b, c, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("reading the configuration %s: %s", name, yaml.FormatError(err, false, true))
	}
	return c, nil
}
