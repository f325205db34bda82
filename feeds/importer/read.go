package importer

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"telltale/feeds"
)

// Read reads a list into f, which already says what its entries mean, and sets its
// digest. The Report is given with an error too, as far as reading came. A list of
// which nothing can be used, or too much is bad, is an error.
func Read(r io.Reader, f *feeds.Feed, opts Options) (*Report, error) {
	rep := &Report{}
	if err := opts.Validate(); err != nil {
		return rep, err
	}
	opts = opts.withDefaults()
	sum := sha256.New()
	_, _ = fmt.Fprintln(sum, opts.Format, opts.Reach, opts.Countries, opts.ASNs, opts.MinScore)
	in, done, err := open(io.TeeReader(r, sum), opts.MaxBytes)
	if err != nil {
		return rep, err
	}
	defer done()
	form, err := choose(in, opts.Format)
	if err != nil {
		return rep, tooLarge(err, opts.MaxBytes)
	}
	rep.Format = form.Name
	out := &sink{opts: opts, feed: f, rep: rep, reach: form.Reach, fixed: opts.Reach != ""}
	if out.fixed {
		out.reach = feeds.ReachExact
		if opts.Reach == feeds.ReachSuffix.String() {
			out.reach = feeds.ReachSuffix
		}
	}
	err = form.read(in, out)
	if rep.Lines == 0 {
		rep.Lines = in.line
	}
	switch err = cmp.Or(err, in.failed()); {
	case err != nil:
		return rep, tooLarge(fmt.Errorf("reading as %s: %w", form.Name, err), opts.MaxBytes)
	case out.full():
		return rep, fmt.Errorf("more than %d entries: raise max_entries, or cut the list", opts.MaxEntries)
	}
	sum.Sum(f.Digest[:0])
	return rep, rep.check(*opts.MaxBad)
}

// tooLarge puts errTooLarge into words, and returns any other error as it is.
func tooLarge(err error, limit int64) error {
	if errors.Is(err, errTooLarge) {
		return fmt.Errorf("more than %d bytes: raise max_size, or cut the list", limit)
	}
	return err
}

// choose returns the format of that name, or the one the list looks like.
func choose(in *input, name string) (*Format, error) {
	if name != "" && name != "auto" {
		return byName(name)
	}
	begin, err := in.r.Peek(headSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading its beginning: %w", err)
	}
	return sniff(begin)
}
