// Command client is the Go client of the recording laboratory: the things no common
// command-line tool does. It uses the resolver of its network namespace and trusts
// any certificate, because those of the laboratory are self-signed.
//
//	client https NAME             GET over TLS, as Go's net/http does it
//	client ech NAME PUBLIC FILE   the same with Encrypted Client Hello; FILE holds the ECHConfigList, base64
//	client quic NAME[:PORT] 1|2   GET over HTTP/3, QUIC version 1 or 2
//	client clear URL URL          GET over HTTP/2 without TLS, on one connection; URLs without http://
//	client again NAME OTHER       GET over HTTP/3 of NAME, then of OTHER, from one port to one address
//	client mdns DEVICE            asks and announces over multicast DNS
//	client llmnr DEVICE           asks over LLMNR, IPv4 and IPv6
package main

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// timeout ends every act.
const timeout = 10 * time.Second

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}

// run does what args name.
func run(args []string) error {
	act, args := args[:min(1, len(args))], args[min(1, len(args)):]
	acts := map[string]struct {
		args int
		do   func(args []string) error
	}{
		"https": {1, fetch},
		"ech":   {3, fetchHidden},
		"quic":  {2, fetchQUIC},
		"again": {2, fetchAgain},
		"clear": {2, fetchClear},
		"mdns":  {1, askMDNS},
		"llmnr": {1, askLLMNR},
	}
	if len(act) == 0 {
		return errors.New("no act: see the package comment")
	}
	a, ok := acts[act[0]]
	if !ok || len(args) != a.args {
		return fmt.Errorf("no act %q with %d arguments: see the package comment", act[0], len(args))
	}
	return a.do(args)
}
