package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go.uber.org/zap"

	"telltale/feeds"
)

// updateConfig says how packs and lists are fetched.
type updateConfig struct {
	Proxy   string         `yaml:"proxy"`   // URL; default: from the environment
	CAFile  string         `yaml:"ca_file"` // PEM; trusted beside the system's
	Timeout int            `yaml:"timeout"` // seconds for one file, default 120
	Bundles []bundleConfig `yaml:"bundles"`
}

// bundleConfig is a bundle of packs that is fetched to one of the packs of the
// configuration.
type bundleConfig struct {
	URL      string `yaml:"url"`
	Path     string `yaml:"path"`
	Key      string `yaml:"key"` // default: pack_key
	Unsigned bool   `yaml:"unsigned"`
}

type feedsUpdateCmd struct {
	Config string `short:"c" required:"" help:"Configuration file with feeds and bundles that have a url." placeholder:"FILE"`
	Shrink bool   `help:"Take a list or bundle although it holds less than half of what it did."`
	DryRun bool   `short:"n" help:"Fetch and check, and replace nothing."`
}

// Run fetches everything that has an address. What is refused leaves the last good file
// in place, is logged, and makes the exit status 1.
func (c *feedsUpdateCmd) Run(e *env) error {
	conf, err := readConfig(c.Config)
	if err != nil {
		return usage(err)
	}
	u := &updater{conf: conf, shrink: c.Shrink, dry: c.DryRun, log: e.log.Named("update")}
	if u.http, err = newFetcher(&conf.Update); err != nil {
		return usage(err)
	}
	lib, err := feeds.Load(nil)
	if err != nil {
		return err
	}
	u.zones = lib.SharedZones()
	jobs := u.jobs()
	if len(jobs) == 0 {
		return usage(errors.New("nothing to fetch: no list and no bundle of the configuration has a url"))
	}
	b := &strings.Builder{}
	failed := 0
	for _, j := range jobs {
		what, err := u.run(e.ctx, j)
		if err != nil {
			failed++
			what = "refused, what was there stays: " + err.Error()
			u.log.Error("feed refused", zap.String("path", j.path), zap.String("url", j.url), zap.Error(err))
		}
		fmt.Fprintf(b, "%s: %s\n", j.path, printable(what))
	}
	if err := e.print(b); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d were not updated", failed, len(jobs))
	}
	return nil
}

// job is one file to fetch, and how it is judged.
type job struct {
	path, url string
	limit     int64
	key       string // verifies a detached signature; bundles carry their own
	// count returns the number of entries in a file of that kind.
	count func(data []byte) (int, error)
	// check says why data must not take the place of old, which is nil if there is no
	// file yet. It may be nil.
	check func(data, old []byte, s *fetchState) error
}

// updater fetches and replaces.
type updater struct {
	conf   *config
	http   *fetcher
	shrink bool
	dry    bool
	zones  map[string]string // given out to customers, by owner
	log    *zap.Logger
}

// jobs lists the bundles and lists that have an address.
func (u *updater) jobs() []job {
	var all []job
	for i := range u.conf.Update.Bundles {
		all = append(all, u.bundleJob(&u.conf.Update.Bundles[i]))
	}
	for i := range u.conf.Feeds {
		l := u.conf.Feeds[i].withDefaults()
		if l.URL != "" {
			all = append(all, u.listJob(&l))
		}
	}
	return all
}

// fetchState is what is remembered of a file that was fetched, in a file beside it.
type fetchState struct {
	URL          string    `json:"url"`
	ETag         string    `json:"etag,omitempty"`
	LastModified string    `json:"last_modified,omitempty"`
	SHA256       string    `json:"sha256"`
	Entries      int       `json:"entries"`
	Version      uint64    `json:"version,omitempty"` // of a bundle
	Fetched      time.Time `json:"fetched"`
}

func statePath(path string) string { return path + ".state.json" }

// readState returns what is remembered of path. It is forgotten if the file is not the
// one that was fetched.
func readState(path string, old []byte) *fetchState {
	s := &fetchState{}
	b, err := os.ReadFile(statePath(path))
	if err != nil || json.Unmarshal(b, s) != nil {
		return &fetchState{}
	}
	if s.SHA256 != digest(old) {
		return &fetchState{Version: s.Version} // a bundle is never older than one that was taken
	}
	return s
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// run fetches one file, and returns what was done in words.
func (u *updater) run(ctx context.Context, j job) (string, error) {
	old, err := os.ReadFile(j.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("reading what is there: %w", err)
	}
	s := readState(j.path, old)
	if s.URL != j.url {
		s = &fetchState{Version: s.Version}
	}
	got, err := u.http.get(ctx, j.url, j.limit, s)
	if err != nil {
		return "", err
	}
	if got.unchanged {
		return "not changed", nil
	}
	if err := u.signed(ctx, j, got.data); err != nil {
		return "", err
	}
	next := &fetchState{URL: j.url, ETag: got.etag, LastModified: got.modified, SHA256: digest(got.data), Version: s.Version, Fetched: time.Now().UTC().Truncate(time.Second)}
	if err := u.judge(j, got.data, old, next); err != nil {
		return "", err
	}
	if u.dry {
		return fmt.Sprintf("would be taken: %d entries", next.Entries), nil
	}
	return fmt.Sprintf("updated: %d entries", next.Entries), u.put(j.path, got.data, next)
}

// judge says why data must not take the place of old, and counts what it holds.
func (u *updater) judge(j job, data, old []byte, next *fetchState) (err error) {
	if j.check != nil {
		if err := j.check(data, old, next); err != nil {
			return err
		}
	}
	if next.Entries, err = j.count(data); err != nil {
		return err
	}
	before := 0
	if old != nil {
		before, _ = j.count(old) // a file that is damaged is no measure
	}
	if !u.shrink && next.Entries*2 < before {
		return fmt.Errorf("it holds %d entries where there were %d: less than half; if that is right, use --shrink", next.Entries, before)
	}
	return nil
}

// signed verifies the signature that stands beside a list.
func (u *updater) signed(ctx context.Context, j job, data []byte) error {
	if j.key == "" {
		return nil
	}
	key, err := publicKey(j.key)
	if err != nil {
		return err
	}
	sig, err := u.http.get(ctx, j.url+".minisig", maxSignature, &fetchState{})
	if err != nil {
		return fmt.Errorf("fetching the signature: %w", err)
	}
	return key.Verify(data, sig.data)
}

// maxSignature bounds a signature in bytes.
const maxSignature = 4096

// put replaces the file and what is remembered of it.
func (u *updater) put(path string, data []byte, s *fetchState) error {
	if err := replaceFile(path, data, 0o644); err != nil {
		return err
	}
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("writing what is remembered: %w", err)
	}
	return replaceFile(statePath(path), append(b, '\n'), 0o644)
}
