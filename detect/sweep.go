package detect

// sweep runs the periodic work when packet time has come to it.
func (e *Engine) sweep() {
	if e.now < e.sweepAt {
		return
	}
	every := int64(e.conf.SummaryEvery)
	due := e.sweepAt != 0
	e.sweepAt = (e.now/every + 1) * every
	if !due {
		return
	}
	for _, f := range e.findings {
		e.summarise(f)
		e.clear(f)
	}
}

// summarise tells of contacts since f was last told.
func (e *Engine) summarise(f *Finding) {
	if !f.touched || !f.opened || f.Allowed != nil {
		return
	}
	f.touched = false
	e.mark(f)
	e.explain(f)
	e.told(Change{Kind: Summarised, Time: e.now, Finding: f})
}

// clear closes f when its host has been active for long without any contact. A host
// that is switched off is not clean.
func (e *Engine) clear(f *Finding) {
	h := f.host
	if f.Cleared || !f.opened || f.Allowed != nil || h.last-f.LastSeen < int64(e.conf.ClearAfter) {
		return
	}
	f.Cleared = true
	e.mark(f)
	e.explain(f)
	e.told(Change{Kind: Cleared, Time: e.now, Finding: f})
}
