package format

import (
	"telltale/alert"
	"telltale/detect"
)

// trim returns a copy of a with at most keep facts, names, policies and functions, and
// texts of at most 32 bytes for each of them, 32 at least.
func trim(a *alert.Alert, keep int) *alert.Alert {
	limit := 32 * max(keep, 1)
	b := *a
	b.Text = shorten(a.Text, 4*limit)
	b.Sensor = shorten(a.Sensor, limit)
	if a.Finding == nil {
		return &b
	}
	f := *a.Finding
	f.Facts = append([]detect.Fact(nil), first(&b, f.Facts, keep)...)
	for i := range f.Facts {
		f.Facts[i].Text = shorten(f.Facts[i].Text, limit)
		f.Facts[i].Indicator = shorten(f.Facts[i].Indicator, limit)
	}
	f.Names = append([]string(nil), first(&b, f.Names, keep)...)
	for i := range f.Names {
		f.Names[i] = shorten(f.Names[i], limit)
	}
	f.Policies = first(&b, f.Policies, 2*keep)
	f.Functions = first(&b, f.Functions, keep)
	f.Product, f.Host.Name = shorten(f.Product, limit), shorten(f.Host.Name, limit)
	f.Contact.Name = shorten(f.Contact.Name, limit)
	if f.Foreign != nil {
		p := *f.Foreign
		p.ASName, p.Source, p.Reason = shorten(p.ASName, limit), shorten(p.Source, limit), shorten(p.Reason, limit)
		f.Foreign = &p
	}
	b.Finding = &f
	return &b
}

// first returns at most n of list and notes in b how many are left out.
func first[T any](b *alert.Alert, list []T, n int) []T {
	if len(list) <= n {
		return list
	}
	b.Omitted += uint64(len(list) - n)
	return list[:n]
}

// shorten cuts s to at most n bytes, at the start of a character, and says so.
func shorten(s string, n int) string {
	const mark = "..."
	if len(s) <= n {
		return s
	}
	n -= len(mark)
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n] + mark
}
