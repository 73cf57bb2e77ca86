// Package command is the command line of simulate: flags, files, progress and exit codes. It computes nothing of its
// own: runs are made by scenarios, verdicts by checker, figures by reports.
//
// Each command is one file with a function that makes it; root.go lists them. What to read next: compare.go, finish.go.
package command

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

	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// The exit codes.
const (
	exitFinding      = 1   // a contract broken inside its envelope, an expectation not met, a case that reproduces
	exitInput        = 2   // bad usage or input
	exitSimulator    = 3   // a fault of the simulator
	exitDrift        = 4   // non-determinism
	exitInconclusive = 5   // unknown, vacuous, a stale case that no longer shows its finding
	exitInterrupted  = 130 // what is finished is saved
)

// app is one process: its streams and how it was started.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	self           string   // how this process was started, for printed commands
	args           []string // its arguments, without the program
}

// exit ends a command with a code; a message, if there is one, goes to stderr.
type exit struct {
	code    int
	message string
}

func (e *exit) Error() string { return e.message }

// failf is an exit with a message.
func failf(code int, format string, args ...any) error {
	return &exit{code, fmt.Sprintf(format, args...)}
}

// quietly is an exit whose reason has been printed.
func quietly(code int) error {
	if code == 0 {
		return nil
	}
	return &exit{code: code}
}

// Main runs one command line, program name first, and returns its exit code. It never panics and never exits.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, self: invocation()}
	if len(args) > 0 {
		a.args = args[1:]
	}
	return a.main(ctx)
}

func (a *app) main(ctx context.Context) (code int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(a.stderr, "simulate: internal error: %v\n%s", p, debug.Stack())
			code = exitSimulator
		}
	}()
	root := a.root()
	root.SetArgs(append([]string{}, a.args...)) // nil would mean the arguments of the process
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	return a.report(root.ExecuteContext(ctx))
}

// report prints an error as what it is and returns its exit code.
func (a *app) report(err error) int {
	if err == nil {
		return 0
	}
	code, message := classify(err)
	if message != "" {
		fmt.Fprintln(a.stderr, strings.TrimRight(message, "\n"))
	}
	return code
}

func classify(err error) (code int, message string) {
	if e, ok := errors.AsType[*exit](err); ok {
		return e.code, prefixed("simulate: ", e.message)
	}
	if ps, ok := errors.AsType[scenarios.Problems](err); ok {
		return exitInput, ps.Error()
	}
	if conflict, ok := errors.AsType[*history.ConflictError](err); ok {
		return exitDrift, "simulate: " + conflict.Error()
	}
	if crash, ok := errors.AsType[*scenarios.Crash](err); ok {
		return exitSimulator, "simulate: a run ended outside the rules: " + crash.Error()
	}
	return exitInput, "simulate: " + err.Error()
}

// prefixed puts a prefix before a text, unless there is none.
func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}
