package geo

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/oschwald/maxminddb-golang/v2"
)

// maxFileSize bounds a database read into memory.
const maxFileSize = 2 << 30

// file is a database in MaxMind DB format. It is held in memory, so that it may be
// replaced or cut short on disk at any time.
type file struct {
	source     Source
	tree       *maxminddb.Reader
	decode     decoder
	cache      cache
	unreadable atomic.Uint64
}

// answer is what one record of a database says.
type answer struct {
	country string
	asn     uint32
	asName  string
}

func openFile(name string) (*file, error) {
	data, err := readFile(name)
	if err != nil {
		return nil, err
	}
	return newFile(filepath.Base(name), data)
}

// readFile returns the content of a file that is not too large.
func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("no such file: check the path")
	case err != nil:
		return nil, fmt.Errorf("%w: check the path and who may read it", err)
	case !info.Mode().IsRegular():
		return nil, errors.New("not a regular file: give the path of the .mmdb file")
	case info.Size() > maxFileSize:
		return nil, fmt.Errorf("%d bytes are too many: give a file of at most %d", info.Size(), int64(maxFileSize))
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%w: check who may read it", err)
	}
	return data, nil
}

// newFile opens a database that is in memory.
func newFile(name string, data []byte) (*file, error) {
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) || bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		return nil, errors.New("it is compressed: unpack it and give the .mmdb file")
	}
	tree, err := maxminddb.OpenBytes(data)
	if err != nil {
		return nil, damaged(err)
	}
	decode, kind, err := decoderFor(tree, data)
	if err != nil {
		return nil, err
	}
	built := nanoseconds(uint64(tree.Metadata.BuildEpoch))
	return &file{source: Source{Name: name, Kind: kind, Built: built}, tree: tree, decode: decode}, nil
}

// damaged says what to do about a file that cannot be understood.
func damaged(err error) error {
	return fmt.Errorf("it is damaged or not in MaxMind DB format (%w): download it again", err)
}

// fill adds what the file knows of a and r lacks. It returns the length of the prefix
// for which that holds.
func (f *file) fill(a netip.Addr, r *Result) (prefix int) {
	if a.Is6() && f.tree.Metadata.IPVersion == 4 {
		return 0
	}
	res := f.tree.Lookup(a)
	if res.Err() != nil {
		f.unreadable.Add(1)
		return 0
	}
	if p := res.Prefix(); p.Addr().Is4() == a.Is4() {
		prefix = p.Bits()
	}
	if !res.Found() {
		return prefix
	}
	ans := f.answer(a, res)
	if ans.asn != 0 && r.ASN == 0 {
		r.ASN, r.ASName, r.ASNSource = ans.asn, ans.asName, f.source.Name
		r.date(AS, f.source.Built)
	}
	if ans.country != "" && r.Country == "" {
		r.Country, r.CountrySource = ans.country, f.source.Name
		r.date(Country, f.source.Built)
	}
	return prefix
}

// answer returns the decoded record of res, from the cache if it is there. A damaged
// record says nothing.
func (f *file) answer(a netip.Addr, res maxminddb.Result) *answer {
	if ans := f.cache.get(res.Offset()); ans != nil {
		return ans
	}
	ans, err := f.decode(a, res)
	if err != nil {
		f.unreadable.Add(1)
		ans = answer{}
	}
	return f.cache.put(res.Offset(), ans)
}
