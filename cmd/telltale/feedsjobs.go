package main

import (
	"bytes"
	"errors"
	"fmt"

	"telltale/feeds/bundle"
	"telltale/feeds/importer"
)

// bundleJob fetches a bundle, which must be signed, no older than the one in use, and
// without errors.
func (u *updater) bundleJob(c *bundleConfig) job {
	return job{
		path: c.Path, url: c.URL, limit: bundle.MaxSize,
		count: func(data []byte) (int, error) { return countBundle(data, c.Path) },
		check: func(data, old []byte, s *fetchState) error {
			b, err := bundle.Read(bytes.NewReader(data))
			if err != nil {
				return err
			}
			if err := u.trusted(c, b); err != nil {
				return err
			}
			was, err := bundle.Read(bytes.NewReader(old))
			if err == nil {
				s.Version = max(s.Version, was.Manifest.Version)
			}
			if err := b.Follows(s.Version); err != nil {
				return err
			}
			if was != nil && b.Manifest.Version == was.Manifest.Version && !b.Same(was) {
				return fmt.Errorf("it is another bundle of the same version %d: whoever made it must raise the version", s.Version)
			}
			s.Version = b.Manifest.Version
			return nil
		},
	}
}

// countBundle counts the indicators of the packs of a bundle, which must be without
// errors.
func countBundle(data []byte, label string) (int, error) {
	b, err := bundle.Read(bytes.NewReader(data))
	if err != nil {
		return 0, err
	}
	lib, err := soundPacks(b.Files, label)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, p := range lib.Packs {
		if _, own := b.Files[p.ID+".yaml"]; own {
			n += len(p.Indicators)
		}
	}
	if n == 0 {
		return 0, errors.New("it holds no indicator")
	}
	return n, nil
}

// trusted verifies the signature of a bundle, unless the configuration says that it
// need not have one.
func (u *updater) trusted(c *bundleConfig, b *bundle.Bundle) error {
	key := c.Key
	if key == "" {
		key = u.conf.PackKey
	}
	if key == "" {
		if c.Unsigned {
			return nil
		}
		return errors.New("no key to verify it with: give pack_key, or say unsigned: true")
	}
	k, err := publicKey(key)
	if err != nil {
		return err
	}
	return b.Verify(k)
}

// listJob fetches a list, which must be one of the format and share of bad lines that
// the configuration says.
func (u *updater) listJob(c *feedConfig) job {
	l := *c
	j := job{path: l.Path, url: l.URL, key: l.Key, limit: l.MaxMiB << 20}
	if j.limit == 0 {
		j.limit = 512 << 20
	}
	j.count = func(data []byte) (int, error) {
		f, err := l.feed()
		if err != nil {
			return 0, err
		}
		rep, err := importer.Read(bytes.NewReader(data), f, l.options(u.zones))
		return rep.Taken(), err
	}
	return j
}
