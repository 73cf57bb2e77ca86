// Package command is the command line of simulate: flags, files, progress and exit codes. It computes nothing of its
// own: runs are made by scenarios, verdicts by checker, figures by reports.
//
// It is a library for programs of teams, too: Main with the options With and Scenario is simulate with code of theirs in
// the place of stages (team.go says what can be given, handlers.go whose code a comparison or a case belongs to).
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
	"path/filepath"
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

// collectAt is the growth of the heap, in percent, at which garbage is collected. A run allocates much and keeps little,
// so a sweep spends a third of its time in a collector at Go's 100; at 300 that is a tenth, for up to half a GB. GOGC in
// the environment wins.
const collectAt = 300

// app is one process: its streams, how it was started, and what it has of a team's own.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	self           string   // how this process was started, for printed commands
	args           []string // its arguments, without the program
	name           string   // of the program, in its help; "" = simulate
	team           team
}

// aside is the app with its words on stderr: what is on stdout is for a program.
func (a *app) aside() *app {
	b := *a
	b.stdout = a.stderr
	return &b
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

// Main runs one command line, program name first, and returns its exit code. It never panics and never exits. Options
// give the program stages and scenarios of a team's own; what is wrong with them is an error of every command line.
//
// It is made for a function main: it takes over SIGINT and SIGTERM, and sets the garbage collector for sweeps unless GOGC
// is set.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer, opts ...Option) int {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	if len(args) > 0 {
		a.args = args[1:]
	}
	if len(args) > 0 && len(opts) > 0 {
		a.name = strings.TrimSuffix(filepath.Base(args[0]), ".exe")
	}
	return a.main(ctx, opts...)
}

func (a *app) main(ctx context.Context, opts ...Option) (code int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(a.stderr, "simulate: internal error: %v\n%s", p, debug.Stack())
			code = exitSimulator
		}
	}()
	var err error
	if a.team, err = gather(opts); err != nil {
		return a.report(err)
	}
	if a.self == "" {
		a.self = a.team.program.invocation()
	}
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
