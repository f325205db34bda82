package stream

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// FolderConfig says which captures of a directory are read, and when.
type FolderConfig struct {
	Config
	// Dir is the directory. Files in it that are no captures are told of and left.
	Dir string
	// Growing reads the newest file while it is written. Otherwise a file is read when a
	// newer one is there, or when it has not changed for Settle.
	Growing bool
	// Settle is for how long a file must not have changed. Default 5 s.
	Settle time.Duration
	// Every is how often the directory is looked at. Default 1 s.
	Every time.Duration
}

// Folder returns a Feed of the captures in a directory, also those that come later, in
// the order they were last written. What was read is remembered as long as the Feed
// lives; a file that is written anew under the same name is read again.
func Folder(conf FolderConfig) (*Feed, error) {
	if st, err := os.Stat(conf.Dir); err != nil || !st.IsDir() {
		return nil, fmt.Errorf("watching a directory: %s is none: create it, or name another", conf.Dir)
	}
	conf.Config = conf.Config.withDefaults()
	if conf.Settle == 0 {
		conf.Settle = 5 * time.Second
	}
	if conf.Every == 0 {
		conf.Every = time.Second
	}
	f := newFeed(conf.Wait, conf.Told)
	d := folder{feed: f, conf: conf, known: make(map[string]*written)}
	f.run(d.watch)
	f.finish()
	return f, nil
}

// folder reads the captures of a directory.
type folder struct {
	feed  *Feed
	conf  FolderConfig
	known map[string]*written // by name
}

// written is what is known of a file.
type written struct {
	path   string
	size   int64
	time   time.Time // of the last write
	head   []byte    // how it begins, which tells it from a later one of that name
	done   bool
	steady int  // looks since it changed
	seen   bool // at the last look
}

const (
	headLength    = 64 // tells two captures apart
	captureHeader = 24 // is in every capture
)

// watch reads what is to be read until the Feed is closed.
func (d *folder) watch() {
	for {
		if w := d.next(); w != nil {
			d.read(w)
			continue
		}
		if !d.feed.pause(d.conf.Every) {
			return
		}
	}
}

// next looks at the directory and returns the file to be read, nil if there is none.
func (d *folder) next() *written {
	list, err := d.look()
	if err != nil {
		d.feed.told(err)
		return nil
	}
	for i, w := range list {
		if w.done {
			continue
		}
		newest := i == len(list)-1
		if newest && !d.conf.Growing && time.Duration(w.steady)*d.conf.Every < d.conf.Settle {
			return nil
		}
		if w.size < captureHeader && newest {
			return nil
		}
		return w
	}
	return nil
}

// look lists the files in the order they were last written.
func (d *folder) look() ([]*written, error) {
	entries, err := os.ReadDir(d.conf.Dir)
	if err != nil {
		return nil, fmt.Errorf("watching a directory: %w", err)
	}
	for _, w := range d.known {
		w.seen = false
	}
	var list []*written
	for _, e := range entries {
		st, err := os.Stat(filepath.Join(d.conf.Dir, e.Name()))
		if err == nil && st.Mode().IsRegular() && e.Name()[0] != '.' {
			list = append(list, d.update(e.Name(), st))
		}
	}
	for name, w := range d.known {
		if !w.seen {
			delete(d.known, name)
		}
	}
	slices.SortFunc(list, func(a, b *written) int {
		return cmp.Or(a.time.Compare(b.time), cmp.Compare(a.path, b.path))
	})
	return list, nil
}

// update brings what is known of a file up to date.
func (d *folder) update(name string, st os.FileInfo) *written {
	w := d.known[name]
	if w == nil {
		w = &written{path: filepath.Join(d.conf.Dir, name)}
		d.known[name] = w
	}
	w.seen = true
	if w.size == st.Size() && w.time.Equal(st.ModTime()) {
		w.steady++
		return w
	}
	w.size, w.time, w.steady = st.Size(), st.ModTime(), 0
	if w.done && !bytes.HasPrefix(headOf(w.path), w.head) {
		w.done = false // written anew
	}
	return w
}

// headOf returns how a file begins.
func headOf(path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, headLength)
	n, _ := io.ReadFull(f, head)
	return head[:n]
}

// read reads w to its end, and if it is still being written, until a newer file is there.
func (d *folder) read(w *written) {
	file, err := os.Open(w.path)
	if err != nil {
		w.done = true
		d.feed.told(fmt.Errorf("watching a directory: %w", err))
		return
	}
	if !d.feed.hold(file) {
		_ = file.Close()
		return
	}
	defer d.feed.leave(file)
	w.head, w.done = headOf(w.path), true
	err = d.feed.copy(&growing{folder: d, file: file, of: w}, d.conf.Open)
	if err != nil && !d.feed.closed() {
		d.feed.told(fmt.Errorf("%s: %w", w.path, err))
	}
}

// growing reads a file that may still be written: at its end it waits for more until
// there is a newer file, or the file is settled.
type growing struct {
	folder *folder
	file   *os.File
	of     *written
	ending bool // there was a newer file at the last look
}

// Read implements io.Reader.
func (g *growing) Read(b []byte) (int, error) {
	for {
		n, err := g.file.Read(b)
		if n > 0 || err != nil && !errors.Is(err, io.EOF) {
			return n, err
		}
		if g.ending || !g.folder.conf.Growing {
			return 0, io.EOF
		}
		if g.ending = g.superseded(); g.ending {
			continue // what was written before the newer file came is read first
		}
		if !g.folder.feed.pause(g.folder.conf.Wait) {
			return 0, io.EOF
		}
	}
}

// superseded says that a file written later is there, or that this one is gone.
func (g *growing) superseded() bool {
	list, err := g.folder.look()
	if err != nil || len(list) == 0 {
		return err == nil
	}
	last := list[len(list)-1]
	return last.path != g.of.path && last.size > 0
}
