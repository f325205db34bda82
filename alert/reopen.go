package alert

// Reopener is a Sink that can be told that its file was moved away.
type Reopener interface {
	// Reopen may be called from any goroutine; it takes effect with the next Send.
	Reopen()
}

// Reopen tells all sinks that write files to open them anew.
func (d *Dispatcher) Reopen() {
	for _, p := range d.all() {
		if r, ok := p.Sink.(Reopener); ok {
			r.Reopen()
		}
	}
}
