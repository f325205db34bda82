package sink

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// aside keeps the files that were put aside by rotation: PATH.20060102T150405.000Z,
// compressed with .gz behind.
type aside struct {
	path     string
	keep     int
	compress bool

	mu   sync.Mutex // one tidying at a time
	busy sync.WaitGroup
}

const asideLayout = "20060102T150405.000Z"

// put moves the file at the path aside, and compresses and deletes older ones without
// holding up the caller.
func (a *aside) put(now time.Time) error {
	to := a.path + "." + now.UTC().Format(asideLayout)
	for _, err := os.Lstat(to); err == nil; _, err = os.Lstat(to) {
		now = now.Add(time.Millisecond)
		to = a.path + "." + now.UTC().Format(asideLayout)
	}
	if err := os.Rename(a.path, to); err != nil {
		return fmt.Errorf("putting the file aside: %w", err)
	}
	if err := syncDir(filepath.Dir(a.path)); err != nil {
		return err
	}
	a.busy.Go(a.tidy)
	return nil
}

func (a *aside) wait() { a.busy.Wait() }

// list returns the files put aside, oldest first.
func (a *aside) list() []string {
	entries, err := os.ReadDir(filepath.Dir(a.path))
	if err != nil {
		return nil
	}
	var all []string
	for _, e := range entries {
		stamp, ok := strings.CutPrefix(e.Name(), filepath.Base(a.path)+".")
		if !ok {
			continue
		}
		if _, err := time.Parse(asideLayout, strings.TrimSuffix(stamp, ".gz")); err == nil {
			all = append(all, filepath.Join(filepath.Dir(a.path), e.Name()))
		}
	}
	slices.Sort(all)
	return all
}

// tidy deletes what is too much and compresses the rest. What fails is tried again after
// the next rotation: nothing is lost by it.
func (a *aside) tidy() {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.list()
	for a.keep > 0 && len(all) > a.keep {
		_ = os.Remove(all[0])
		all = all[1:]
	}
	if !a.compress {
		return
	}
	for _, name := range all {
		if !strings.HasSuffix(name, ".gz") {
			_ = pack(name)
		}
	}
}

// pack replaces a file by its compressed form, which is durable before the file goes.
func pack(name string) (err error) {
	in, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("compressing: %w", err)
	}
	defer func() { _ = in.Close() }()
	mode := fs.FileMode(0o640)
	if st, err := in.Stat(); err == nil {
		mode = st.Mode().Perm()
	}
	part := name + ".part"
	out, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return fmt.Errorf("compressing: %w", err)
	}
	z := gzip.NewWriter(out)
	_, err = io.Copy(z, in)
	if err = errors.Join(err, z.Close(), out.Sync(), out.Close()); err == nil {
		err = os.Rename(part, name+".gz")
	}
	if err != nil {
		return errors.Join(fmt.Errorf("compressing: %w", err), os.Remove(part))
	}
	return os.Remove(name)
}
