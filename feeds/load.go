package feeds

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

//go:embed packs/*.yaml
var embedded embed.FS

// maxFiles bounds the files read from one directory.
const maxFiles = 1000

// Library is all that was loaded, before it is compiled.
type Library struct {
	Packs    []*Pack   // sorted by id
	Policies []*Policy // sorted by id
	Shared   Shared
	Feeds    []*Feed // lists of the operator, in the order they were given

	sums  []string // kind, name and digest of what is not a pack
	forms forms    // of files read before, by digest
}

// Load reads the embedded packs and then every *.yaml file of the directories. A pack
// or policy replaces one of the same id that was read before; shared files add to what
// is there. All errors are returned joined, each with its file and line.
func Load(dirs []string) (*Library, error) {
	sub, err := fs.Sub(embedded, "packs")
	if err != nil {
		return nil, fmt.Errorf("opening the embedded packs: %w", err)
	}
	lib := &Library{forms: readForms(compiledForms)}
	errs := []error{lib.addDir(sub, "packs")}
	for _, d := range dirs {
		errs = append(errs, lib.AddDir(d))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return lib, nil
}

// AddDir reads every *.yaml file of a directory, as Load does.
func (l *Library) AddDir(dir string) error { return l.addDir(os.DirFS(dir), dir) }

// AddFiles reads files that are already in memory, by name and in its order. label
// stands for their directory in messages.
func (l *Library) AddFiles(files map[string][]byte, label string) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(files)) {
		errs = append(errs, l.add(name, path.Join(label, name), files[name]))
	}
	return errors.Join(errs...)
}

// addDir reads the files of one directory. label is the directory's name in messages.
func (l *Library) addDir(dir fs.FS, label string) error {
	list, err := fs.ReadDir(dir, ".")
	if err != nil {
		return fmt.Errorf("reading the pack directory %s: %w", label, err)
	}
	var errs []error
	files := 0
	for _, e := range list {
		if e.IsDir() || path.Ext(e.Name()) != ".yaml" {
			continue
		}
		if files++; files > maxFiles {
			errs = append(errs, fmt.Errorf("%s: more than %d files: spread them over several directories", label, maxFiles))
			break
		}
		errs = append(errs, l.addFile(dir, e.Name(), path.Join(label, e.Name())))
	}
	return errors.Join(errs...)
}

func (l *Library) addFile(dir fs.FS, name, file string) error {
	data, err := readBounded(dir, name)
	if err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	return l.add(name, file, data)
}

// readBounded reads at most one byte more than a file may have.
func readBounded(dir fs.FS, name string) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	return data, errors.Join(err, f.Close())
}

// add reads one file: a shared file or the policies by their name, else a pack.
func (l *Library) add(name, file string, data []byte) error {
	sum := sha256.Sum256(data)
	if name == "policies.yaml" {
		l.note(name, sum)
		return l.addPolicies(file, data, sum)
	}
	if isShared(name) {
		l.note(name, sum)
		return l.addShared(file, data, sum)
	}
	var f packFile
	if err := l.forms.read(file, data, sum, &f); err != nil {
		return err
	}
	p, err := f.pack(file)
	if err != nil {
		return err
	}
	if p.ID+".yaml" != name {
		return &fileError{file: file, err: fmt.Errorf("the pack of %q must be in a file called %s.yaml", p.ID, p.ID)}
	}
	p.sum = sum
	i, found := slices.BinarySearchFunc(l.Packs, p.ID, func(q *Pack, id string) int { return strings.Compare(q.ID, id) })
	if found {
		l.Packs[i] = p
	} else {
		l.Packs = slices.Insert(l.Packs, i, p)
	}
	return nil
}

func (l *Library) note(name string, sum [32]byte) {
	l.sums = append(l.sums, name+" "+hex.EncodeToString(sum[:]))
}

// Pack returns the pack of that id, nil if there is none.
func (l *Library) Pack(id string) *Pack {
	for _, p := range l.Packs {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// Policy returns the policy of that id, nil if there is none.
func (l *Library) Policy(id string) *Policy {
	for _, p := range l.Policies {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// Generation names the content of the library: the first 16 hexadecimal digits of a
// SHA-256 over all files in use.
func (l *Library) Generation() string {
	h := sha256.New()
	for _, s := range l.sums {
		_, _ = fmt.Fprintln(h, s)
	}
	for _, p := range l.Packs {
		_, _ = fmt.Fprintf(h, "pack %s %x\n", p.ID, p.sum)
	}
	for _, f := range l.Feeds {
		_, _ = fmt.Fprintf(h, "list %s %s %s %s %s %s %x\n", f.Name, f.Vendor.ID, f.Product, f.Function, f.Implies, f.Confidence, f.Digest)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
