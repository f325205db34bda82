package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"time"
)

// Format is the form of a bundle.
const Format = "telltale-packs/1"

// Names of the first two members, and bounds on all of them.
const (
	manifestName  = "manifest.json"
	signatureName = "manifest.json.minisig"

	// MaxSize bounds a bundle as it is stored.
	MaxSize     = 64 << 20
	maxUnpacked = 256 << 20
	maxFile     = 8 << 20
	maxFiles    = 2000
	maxManifest = 1 << 20
	maxMembers  = maxFiles + 2
)

// Manifest says what a bundle holds.
type Manifest struct {
	Format string `json:"format"`
	// Version rises with every bundle; a lower one is never put in place of a higher.
	Version uint64    `json:"version"`
	Created time.Time `json:"created"`
	Files   []File    `json:"files"` // in the order of the archive
}

// File is one file of a bundle.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // hexadecimal
}

// parseManifest reads a manifest and says all that is wrong with it.
func parseManifest(b []byte) (Manifest, error) {
	var m Manifest
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("reading the manifest: %w", err)
	}
	var errs []error
	if m.Format != Format {
		errs = append(errs, fmt.Errorf("the manifest is of format %.40q and not %s: use a newer telltale", m.Format, Format))
	}
	if m.Version == 0 {
		errs = append(errs, errors.New("the manifest has no version"))
	}
	if len(m.Files) == 0 || len(m.Files) > maxFiles {
		errs = append(errs, fmt.Errorf("the manifest names %d files: 1 to %d can be", len(m.Files), maxFiles))
	}
	seen := map[string]bool{}
	for _, f := range m.Files {
		if !validName(f.Name) || seen[f.Name] {
			errs = append(errs, fmt.Errorf("the manifest names a file %.80q, which is no plain name of a YAML file, or is there twice", f.Name))
		}
		if f.Size < 0 || f.Size > maxFile {
			errs = append(errs, fmt.Errorf("the file %.80q has %d bytes: more than %d cannot be", f.Name, f.Size, maxFile))
		}
		seen[f.Name] = true
	}
	return m, errors.Join(errs...)
}

// validName reports whether a file of that name may be in a bundle.
func validName(name string) bool {
	return path.Base(name) == name && path.Ext(name) == ".yaml" && len(name) <= 255 && name[0] != '.'
}
