package reports

import (
	"time"

	"github.com/twiceless/twiceless/sim/history"
)

// OutcomeKind is what became of a test of a team's own code.
type OutcomeKind uint8

// The outcomes. Passed and PassedAccepted are the only ones that do not fail the test.
const (
	Passed         OutcomeKind = iota
	PassedAccepted             // what was found is accepted: Accepted says until when
	Broke                      // Finding breaks the promise
	Crashed                    // the code panicked, ended its goroutine, or would not die: Detail says which
	Hung                       // a run did not end: Detail says after how long
	Drifted                    // two runs of one case differ: Detail says where
	Vacuous                    // the promise was not put to the test: Detail says why
	Undecided                  // a run could not be judged: Detail says why
	Uncovered                  // fewer awaits were killed than the test demands
	Missed                     // what the test expects was not found
)

// OutcomePhase is in which part of a test its outcome was found.
type OutcomePhase uint8

// The parts, in their order.
const (
	InCorpus  OutcomePhase = iota // a saved case, Case, was done again
	InControl                     // the run without any fault
	InSearch                      // plan number Plan of Plans
)

// Outcome is what a test of a team's own code came to, with everything that a report of it shows. What does not apply is
// the zero value.
type Outcome struct {
	Kind     OutcomeKind
	Phase    OutcomePhase
	Test     string // t.Name()
	Package  string // import path of the test's package
	Owner    string // Package.Test, as cases name it
	Scenario string
	Stack    string
	Door     string             // native, hosted, or how else the code is run
	Promises []history.Property // what was to hold

	Plan     int           // number of the plan that was found, from 1
	Plans    int           // plans done, that one included
	Budget   int           // plans that were to be done
	Seed     uint64        // of the plan, or of the case
	Searched string        // which ground, if not the fixed set: "20261121"
	Twice    int           // runs done twice to compare them
	Runs     int           // runs in all, those of shrinking and of the search for remedies included
	Elapsed  time.Duration // of the whole test

	Finding     *history.Finding // nil: what was found is no finding of a judge
	Fingerprint string           // also of a crash
	Headline    string           // what it cost: "charge of 80.00 instead of 40.00 at payments, applied 2 times"; "" = unknown
	Detail      string           // one sentence, or several lines
	Site        string           // package/file.go:line of the team's code that is to blame; "" = none
	Trace       []string         // lines of the stack of a panic that are the team's; nil = unknown

	History *history.History // of the smallest run; its calls have sites. nil = there is none
	Faults  []string         // lines of its plan
	From    OutcomeSize      // what was found
	To      OutcomeSize      // to which it was shrunk; the zero size = it was not
	RanOut  bool             // the budget ended shrinking
	Would   []Remedy         // what would have held
	Digest  string
	Epoch   int

	Case  string // file of the case as seen from the package's directory; "" = none
	Saved bool   // the case was written just now
	Again string // the command that shows it again, to be pasted anywhere in the module

	Expects  string // what the test is expected to find, and where; "" = nothing: it is to hold
	Expected bool   // Finding, or the crash, is that: the test passes

	Accepted []Acceptance // findings that were met and are accepted, or no longer
	Awaits   Awaits
}

// OutcomeSize is how large a case is.
type OutcomeSize struct {
	Faults int
	Events int64 // offered
}

// Acceptance is a finding that a team lives with for a while.
type Acceptance struct {
	Finding string // fingerprint, or property
	Issue   string
	Until   string // the last day, 2026-12-31
	Ended   bool   // that day is over: it fails again
	Met     int    // runs that showed it
	Case    string // file of a case that showed it; "" = none
}

// Awaits are the places of the team's code that wait for the world, by package/file.go:line, sorted. Reached are those that
// some run passed through; what no run has ever reached is not known, so it is not counted.
type Awaits struct {
	Reached []string
	Killed  []string // of them: a process died there
	Least   int      // percent of the reached ones that the test demands; 0 = no demand
}
