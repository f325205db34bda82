package main

import (
	"fmt"
	"slices"
	"strings"

	"telltale/feeds"
)

type feedsVariantsCmd struct {
	packFlags
	Of []string `arg:"" name:"vendor-or-domain" help:"Vendor ids, as feeds list shows them, or domains such as example.com."`
}

// Run prints the variants, one a line: a list to watch, or to register. What is known to
// be a vendor's own is left out.
func (c *feedsVariantsCmd) Run(e *env) error {
	lib, set, err := c.set()
	if err != nil {
		return err
	}
	var all []string
	for _, of := range c.Of {
		domains, err := domainsOf(lib, of)
		if err != nil {
			return usage(err)
		}
		for _, d := range domains {
			all = append(all, feeds.Variants(d)...)
		}
	}
	slices.Sort(all)
	b := &strings.Builder{}
	for _, name := range slices.Compact(all) {
		known := slices.ContainsFunc(set.Name([]byte(name), nil), func(m feeds.Match) bool { return !m.Lookalike })
		if !known {
			fmt.Fprintln(b, name)
		}
	}
	return e.print(b)
}

// domainsOf returns the domains of a vendor, or the one domain that is given.
func domainsOf(lib *feeds.Library, of string) ([]string, error) {
	if p := lib.Pack(of); p != nil {
		return p.Domains(), nil
	}
	name, err := feeds.Canonical(of)
	if err != nil || !strings.Contains(name, ".") {
		return nil, fmt.Errorf("%q is neither a vendor nor a domain: give an id of 'telltale feeds list', or a name like example.com", printable(of))
	}
	return []string{name}, nil
}
