package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// reloadEvery is how often files of knowledge are looked at for changes.
const reloadEvery = 10 * time.Second

// reloader makes knowledge anew beside the one in use. What cannot be used leaves the
// old in use.
type reloader struct {
	flags *judgeFlags
	log   *zap.Logger
	// refused is told why new knowledge is not used. It may be nil, and is called by the
	// goroutine of watch.
	refused func(error)

	ready atomic.Pointer[knowledge] // made and not yet in use
	size  int                       // entries of the Set that was made last
	files fileSet
	why   string // what was told last, until it is mended
}

// newReloader returns a reloader for knowledge that is in use.
func newReloader(f *judgeFlags, k *knowledge, log *zap.Logger) *reloader {
	r := &reloader{flags: f, log: log.Named("reload"), size: k.detect.Set.Len()}
	if c, err := f.config(); err == nil {
		_, _ = r.files.changed(f.Config, c)
	}
	return r
}

// take returns knowledge that is ready to use, nil if there is none. The goroutine that
// judges calls it now and then; it costs one load where there is nothing new.
func (r *reloader) take() *knowledge {
	if r.ready.Load() == nil {
		return nil
	}
	return r.ready.Swap(nil)
}

// watch reloads at every signal and when the content of a file changes, until ctx ends.
// Files are looked at as often as every says; 0 is reloadEvery.
func (r *reloader) watch(ctx context.Context, every time.Duration, hup <-chan os.Signal) {
	tick := time.NewTicker(cmp.Or(every, reloadEvery))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			r.reload(true)
		case <-tick.C:
			r.reload(false)
		}
	}
}

// reload makes knowledge anew if it must or if a file has changed.
func (r *reloader) reload(must bool) {
	c, err := r.flags.config()
	if err == nil {
		var changed bool
		if changed, err = r.files.changed(r.flags.Config, c); err == nil && !changed && !must {
			return
		}
	}
	if err == nil {
		err = r.make(c)
	}
	if err == nil {
		r.why = ""
		return
	}
	if err.Error() == r.why && !must {
		return // told already; files that are missing are missed at every look
	}
	r.why = err.Error()
	r.log.Error("new packs or lists are refused, the old ones stay in use", zap.Error(err))
	if r.refused != nil {
		r.refused(err)
	}
}

// make compiles new knowledge and makes it ready, unless it is unsound.
func (r *reloader) make(c *config) error {
	k, err := r.flags.again(c, r.size)
	if err != nil {
		return err
	}
	r.size = k.detect.Set.Len()
	r.ready.Store(k)
	r.log.Info("new packs and lists", zap.String("generation", k.detect.Set.Generation()), zap.Int("entries", r.size))
	return nil
}

// again makes knowledge anew where there is some of that many entries in use. Packs
// with errors of the linter, and less than half of the entries, are refused.
func (f *judgeFlags) again(c *config, entries int) (*knowledge, error) {
	k, err := f.build(c, true)
	if err != nil {
		return nil, err
	}
	switch n := k.detect.Set.Len(); {
	case n == 0:
		return nil, errors.New("there is no indicator in it")
	case n*2 < entries:
		return nil, fmt.Errorf("it holds %d entries where there were %d: less than half; if that is right, restart", n, entries)
	}
	return k, nil
}
