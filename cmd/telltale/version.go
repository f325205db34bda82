package main

import (
	"fmt"
	"runtime"

	"telltale/feeds"
	"telltale/feeds/geo"
)

type versionCmd struct{}

// Run prints what this binary is made of.
func (versionCmd) Run(e *env) error {
	lib, err := feeds.Load(nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "telltale %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(e.stdout, "packs: %d vendors, %d policies (%s)\n", len(lib.Packs), len(lib.Policies), lib.Generation())
	fmt.Fprint(e.stdout, geo.SourceText())
	return nil
}
