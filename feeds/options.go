package feeds

import (
	"errors"
	"fmt"
	"slices"
)

// Options choose what of a Library is compiled.
type Options struct {
	// Policies are ids. They bring the vendors they bind into the Set and are the only
	// policies in force. Empty: all.
	Policies []string
	// Vendors are ids of packs. If both lists are empty, all packs are compiled.
	Vendors []string
	// Own lists zones of the operator, such as corp.example.com. A name below one is
	// no look-alike: resolvers append search suffixes to names that do not exist.
	Own []string
}

// Validate returns the ids that lib does not have, nil if it has all.
func (o Options) Validate(lib *Library) error {
	var errs []error
	for _, id := range o.Policies {
		if lib.Policy(id) == nil {
			errs = append(errs, fmt.Errorf("unknown policy %q: 'telltale feeds policies' lists them", id))
		}
	}
	for _, id := range o.Vendors {
		if lib.Pack(id) == nil && !slices.ContainsFunc(lib.Feeds, func(f *Feed) bool { return f.Vendor.ID == id }) {
			errs = append(errs, fmt.Errorf("unknown vendor %q: no pack and no list has that id; 'telltale feeds list' shows them", id))
		}
	}
	return errors.Join(errs...)
}

// choose returns the packs and policies the options ask for.
func choose(lib *Library, opts Options) ([]*Pack, []*Policy, error) {
	if err := opts.Validate(lib); err != nil {
		return nil, nil, err
	}
	policies := choosePolicies(lib, opts.Policies)
	if len(opts.Policies) == 0 && len(opts.Vendors) == 0 {
		return lib.Packs, policies, nil
	}
	var packs []*Pack
	for _, p := range lib.Packs {
		bound := len(opts.Policies) > 0 && slices.ContainsFunc(policies, func(q *Policy) bool { return binds(q, p) })
		if bound || slices.Contains(opts.Vendors, p.ID) {
			packs = append(packs, p)
		}
	}
	return packs, policies, nil
}

// choosePolicies returns the policies of those ids sorted by id, all of them if there
// are no ids.
func choosePolicies(lib *Library, wanted []string) []*Policy {
	if len(wanted) == 0 {
		return lib.Policies
	}
	return slices.DeleteFunc(slices.Clone(lib.Policies), func(p *Policy) bool { return !slices.Contains(wanted, p.ID) })
}

// binds reports whether a policy and a pack belong together, by the word of either.
func binds(q *Policy, p *Pack) bool {
	return q.Binding(p.ID) || slices.Contains(p.Policies, q.ID)
}
