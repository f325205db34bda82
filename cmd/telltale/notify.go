package main

import (
	"net"
	"os"
	"strconv"
	"time"
)

// notify tells the service manager how it stands (sd_notify(3)), if there is one.
func notify(state string) {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return // there is nobody else to tell
	}
	defer func() { _ = conn.Close() }()
	_, _ = conn.Write([]byte(state))
}

// watchdog returns how often the service manager wants to hear that all is well, 0 for
// never (sd_watchdog_enabled(3)).
func watchdog() time.Duration {
	us, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	pid, perr := strconv.Atoi(os.Getenv("WATCHDOG_PID"))
	if err != nil || perr == nil && pid != os.Getpid() {
		return 0
	}
	return time.Duration(us) * time.Microsecond / 2
}
