// Command servers plays the internet of the recording laboratory: DNS resolvers, web,
// update and reputation servers, an HTTP/3 server, a proxy, and endpoints that refuse.
// Every address it serves must be set on an interface of its network namespace:
//
//	servers -addresses        prints them, one a line, and ends
//	servers -state FOLDER     serves until it is ended by a signal
//
// It writes into FOLDER what clients need: spki (hash of the certificate's key, for
// Chromium), ech (the ECHConfigList, base64) and ready, when all servers listen.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	list := flag.Bool("addresses", false, "print the addresses and end")
	state := flag.String("state", "", "folder for what clients need")
	flag.Parse()
	if *list {
		for _, a := range addresses() {
			fmt.Println(a)
		}
		return
	}
	if err := run(*state); err != nil {
		fmt.Fprintln(os.Stderr, "servers:", err)
		os.Exit(1)
	}
}

// run starts every server, says so in the state folder, and waits for a signal or for
// a server that fails.
func run(state string) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	id, err := newIdentity()
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	for _, start := range []func(*identity, chan<- error) error{
		serveDNS, serveTLS, serveHTTP, serveQUIC, serveProxy,
	} {
		if err := start(id, failed); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{"spki": id.spki, "ech": id.ech, "ready": ""} {
		if err := os.WriteFile(filepath.Join(state, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("writing the state folder: %w", err)
		}
	}
	select {
	case err := <-failed:
		return err
	case <-stop:
		return nil
	}
}

// report sends err unless an earlier one waits already.
func report(failed chan<- error, err error) {
	select {
	case failed <- err:
	default:
	}
}
