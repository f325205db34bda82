package detect

// Advance tells that packet time has come to t although nothing was observed, so that
// summaries come in time.
func (e *Engine) Advance(t int64) {
	if e.now == 0 {
		return // nothing was observed yet
	}
	e.now = max(e.now, t)
	e.sweep()
}

// Reload goes on by conf, keeping what was found. A Finding is judged by the new
// knowledge at its next contact; what the allow list excuses holds at once. If conf is
// wrong nothing changes.
func (e *Engine) Reload(conf Config) error {
	if err := conf.Validate(); err != nil {
		return err
	}
	conf = conf.withDefaults()
	if conf.Home == nil {
		conf.Home = privateSpace()
	}
	e.Swap(conf.Set, conf.Watch)
	e.conf = conf
	e.names.limit = conf.MaxNames
	for _, h := range e.hosts.byAddr {
		h.home, h.declared = false, 0
		e.declare(h)
	}
	for _, f := range e.findings {
		f.Allowed = e.allowed(f, e.now)
	}
	return nil
}

// declare gives h what the configuration says of its address.
func (e *Engine) declare(h *host) {
	for _, p := range e.conf.Home {
		h.home = h.home || p.Contains(h.Addr)
	}
	for _, d := range e.conf.Roles {
		if d.Net.Contains(h.Addr) {
			h.declared |= d.Role
		}
	}
}
