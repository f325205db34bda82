package feeds

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestVendorsDocumentIsCurrent rewrites docs/vendors.md under -update.
func TestVendorsDocumentIsCurrent(t *testing.T) {
	lib := shippedLibrary(t)
	var b strings.Builder
	b.WriteString("# Vendors\n\nMade from the packs by `make packs`; do not edit. [packs.md](packs.md) says how a pack is written and what the classes take.\n\n")
	fmt.Fprintf(&b, "%d vendors. The numbers are indicators by the most each implies; `misleading` are those known to prove nothing, matched so that they can be explained. Last verified is the day of the newest source of the pack, oldest that of the entry looked at longest ago.\n\n", len(lib.Packs))
	b.WriteString("| id | vendor | country | products | installed | device | likely | visited | located | misleading | look-alikes | sinkholes | policies | last verified | oldest |\n")
	b.WriteString("|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|---|---|\n")
	for _, p := range lib.Packs {
		vendorLine(&b, p)
	}
	fmt.Fprintf(&b, "\n## Policies\n\n%d policies. `telltale feeds policies` tells all there is of each.\n\n", len(lib.Policies))
	b.WriteString("| id | title | jurisdiction | issued | counts | assets | severity | vendors |\n|---|---|---|---|---|---|---|---|\n")
	for _, q := range lib.Policies {
		var counts, assets []string
		for _, c := range q.Counts {
			counts = append(counts, c.String())
		}
		for _, a := range q.Assets {
			assets = append(assets, string(a))
		}
		row(&b, "`"+q.ID+"`", q.Title, q.Jurisdiction, q.Issued, strings.Join(counts, ", "), strings.Join(assets, ", "), string(q.Severity), strings.Join(q.Vendors, ", "))
	}
	generated(t, "../docs/vendors.md", b.String())
}

func vendorLine(b *strings.Builder, p *Pack) {
	var count [Classes]int
	misleading := 0
	var seen []string
	for _, i := range p.Indicators {
		seen = append(seen, i.Seen)
		if i.Misleading {
			misleading++
			continue
		}
		count[i.Implies]++
	}
	cells := []string{"`" + p.ID + "`", p.Name, p.Country, strings.Join(p.Products, ", ")}
	for _, n := range []int{
		count[Installed], count[Device], count[Likely], count[Visited], count[Located], misleading, len(p.Lookalikes), len(p.Sinkholes),
	} {
		cells = append(cells, number(n))
	}
	row(b, append(cells, strings.Join(p.Policies, ", "), slices.Max(seen), slices.Min(seen))...)
}

// number leaves a cell empty where there is nothing to count.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func row(b *strings.Builder, cells ...string) {
	for n := range cells {
		cells[n] = strings.ReplaceAll(cells[n], "|", `\|`)
	}
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}
