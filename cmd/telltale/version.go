package main

import (
	"fmt"
	"runtime"
	"strings"

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
	b := &strings.Builder{}
	fmt.Fprintf(b, "telltale %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(b, "packs: %d vendors, %d policies (%s)\n", len(lib.Packs), len(lib.Policies), lib.Generation())
	b.WriteString(geo.SourceText())
	return e.print(b)
}
