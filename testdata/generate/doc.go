// Package generate makes captures for tests: browsers that visit a vendor's pages, an
// installed product that fetches updates, hosts that say who they are, and rewrites of any capture that a correct
// observer must not notice. The same arguments give the same bytes on every machine.
package generate
