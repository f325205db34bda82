package pcapfile

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// input is something to be read.
type input struct {
	path   string
	size   int64     // bytes as stored, -1 for a pipe
	stdin  io.Reader // what to read instead of opening path
	folder *folder   // the directory it was found in, nil if it was named
	seen   *progress

	given         int   // place among the inputs as they were named
	first, latest int64 // time of the first packet, latest time of the first packets
	file          *file // opened ahead of its turn
}

// folder counts the captures in a directory that was named.
type folder struct {
	path     string
	captures int
}

// expansion is what the paths of a Config stand for.
type expansion struct {
	conf    *Config
	inputs  []*input
	folders []*folder
	errs    []*FileError
	sizes   map[int64][]fs.FileInfo // files seen, to find those named twice
}

func expand(conf *Config) *expansion {
	x := &expansion{conf: conf, sizes: map[int64][]fs.FileInfo{}}
	for _, p := range conf.Paths {
		if p == standardInput {
			x.stream(p, conf.Stdin)
			continue
		}
		x.named(p)
	}
	return x
}

// stream adds an input that cannot be opened twice.
func (x *expansion) stream(path string, r io.Reader) {
	in := &input{path: path, size: -1, stdin: r}
	if f, ok := r.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode().IsRegular() {
			in.size = st.Size()
		}
	}
	x.inputs = append(x.inputs, in)
}

// named adds what a path stands for: a name that exists is never taken as a pattern.
func (x *expansion) named(path string) {
	st, err := os.Stat(path)
	if err == nil {
		x.found(path, st)
		return
	}
	matches, gerr := filepath.Glob(path)
	if gerr != nil || len(matches) == 0 {
		x.fail(path, err)
		return
	}
	slices.Sort(matches)
	for _, m := range matches {
		if st, err := os.Stat(m); err != nil {
			x.fail(m, err)
		} else {
			x.found(m, st)
		}
	}
}

func (x *expansion) found(path string, st fs.FileInfo) {
	switch {
	case st.IsDir():
		x.directory(path)
	case st.Mode().IsRegular():
		x.regular(path, st, nil)
	default:
		x.inputs = append(x.inputs, &input{path: path, size: -1})
	}
}

// regular adds a file unless it is there already, perhaps by another name.
func (x *expansion) regular(path string, st fs.FileInfo, in *folder) {
	same := func(o fs.FileInfo) bool { return os.SameFile(st, o) }
	if slices.ContainsFunc(x.sizes[st.Size()], same) {
		if in != nil {
			in.captures++ // it is read, so the directory is not without captures
		}
		return
	}
	x.sizes[st.Size()] = append(x.sizes[st.Size()], st)
	x.inputs = append(x.inputs, &input{path: path, size: st.Size(), folder: in})
}

// directory adds the regular files of a directory, in the order of their names.
func (x *expansion) directory(root string) {
	dir := &folder{path: root}
	x.folders = append(x.folders, dir)
	// The callback returns no other error, so neither does the walk.
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			x.fail(path, err)
			dir.captures++ // what is wrong with the directory has been said
		case d.IsDir():
			if path != root && !x.conf.Recursive {
				return fs.SkipDir
			}
		default:
			if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() {
				x.regular(path, st, dir)
			}
		}
		return nil
	})
}

func (x *expansion) fail(path string, err error) {
	x.errs = append(x.errs, &FileError{Path: path, Problem: Unreadable, Reason: readAdvice(err), Err: err})
}
