// Command telltale tells which hosts still run, or talk to, a vendor, how it knows,
// and what it could not see. It listens and reads captures; it never sends a packet.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"go.uber.org/zap"
)

// version is set by the linker.
var version = "dev"

// Exit statuses.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitReached = 3 // --fail-on: a finding of that class was made
)

// env is what a command may touch of the world outside.
type env struct {
	ctx    context.Context
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	log    *zap.Logger // the operator's log, on stderr; alerts never pass through it
	exit   func(int)   // ends the process at once
}

// print writes a page that was made in memory.
func (e *env) print(b *strings.Builder) error {
	if _, err := io.WriteString(e.stdout, b.String()); err != nil {
		return fmt.Errorf("writing to standard output: %w", err)
	}
	return nil
}

// complain writes to standard error. If that fails nobody is there to be told.
func (e *env) complain(format string, args ...any) {
	_, _ = fmt.Fprintf(e.stderr, "telltale: "+format+"\n", args...)
}

// statusError is an error that decides the exit status. Its text may be empty.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *statusError) Unwrap() error { return e.err }

func usage(err error) error { return &statusError{exitUsage, err} }

type exited int

// gcPercent trades memory for fewer collections: nearly all that is allocated stays.
const gcPercent = 200

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(os.Args[1:], &env{ctx: ctx, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, exit: os.Exit})
	stop()
	os.Exit(status)
}

// run executes one command line and returns the exit status.
func run(args []string, e *env) (status int) {
	var c cli
	defer func() { // kong leaves by way of its Exit hook, for --help and --version
		if r := recover(); r != nil {
			code, ok := r.(exited)
			if !ok {
				panic(r)
			}
			status = int(code)
		}
	}()
	k, err := parser(&c, e)
	if err != nil {
		return fail(e, err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	ctx, err := k.Parse(args)
	if err != nil {
		e.complain("%v\nTry 'telltale --help', or 'telltale COMMAND --help'.", err)
		return exitUsage
	}
	e.log = newLogger(e.stderr, c.LogFormat, c.Verbose)
	if ctx.Command() == "run" {
		e.log = newDaemonLogger(e.stderr, c.LogFormat, c.Verbose)
	}
	return fail(e, ctx.Run(e, k.Model))
}

func parser(c *cli, e *env) (*kong.Kong, error) {
	k, err := kong.New(c,
		kong.Name("telltale"),
		kong.Description("Tells which hosts still run, or talk to, a vendor, and how it knows."),
		kong.UsageOnError(),
		kong.Writers(e.stdout, e.stderr),
		kong.Exit(func(code int) { panic(exited(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.Vars{"version": version},
	)
	if err != nil {
		return nil, fmt.Errorf("building the command line: %w", err)
	}
	return k, nil
}

// fail says what went wrong and returns the exit status for it.
func fail(e *env, err error) int {
	if err == nil {
		return exitOK
	}
	status := exitFailed
	var s *statusError
	if errors.As(err, &s) {
		status, err = s.status, s.err
	}
	if err != nil {
		e.complain("%s", printable(err.Error()))
	}
	return status
}
