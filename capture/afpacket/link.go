package afpacket

// Link is the state of a network interface.
type Link struct {
	Index   int  // number of the interface, 0 if there is none or for Any
	Present bool // there is an interface of that name
	Up      bool // it is up and has a carrier
	Opened  bool // it was opened anew by this Check
}

// Counters are what the interface itself counts since it was made.
type Counters struct {
	Received uint64 // packets received
	Missed   uint64 // of these and others, lost for want of buffers in adapter or kernel
	Errors   uint64 // damaged on the way
}

// PermissionError says that the privileges to capture are missing.
type PermissionError struct {
	err error
	// Capabilities are those that are needed, by their names in capabilities(7).
	Capabilities []string
}

// Error says what is missing; who knows the program's place adds how to grant it.
func (e *PermissionError) Error() string { return e.err.Error() }

// Unwrap returns the kernel's error.
func (e *PermissionError) Unwrap() error { return e.err }
