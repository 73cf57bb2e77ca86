package twiceless

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// check is the test of all doors. The code is not bound yet.
func check(t *testing.T, scenario string, code func(*settings) *scenarios.Code, opts []Option) {
	t.Helper()
	began := time.Now()
	k, err := begin(t, scenario, code, opts)
	if err != nil {
		t.Fatal(err)
	}
	if k.set.only != "" && !k.ownsOnly() {
		t.Skipf("%s=%s is no case of this test", caseVariable, k.set.only)
	}
	k.do()
	k.out.Elapsed = time.Since(began)
	report(t, &k.out)
}

// tester is one test under way.
type tester struct {
	t        *testing.T
	set      *settings
	sc       *scenarios.Scenario // bound, reduced to the one stack
	owner    scenarios.Owner
	promised []history.Property // what must hold; the guarantees of components are part of it
	hunter   *scenarios.Hunter
	deaths   []string // the steps of calls at which a process can be made to die

	decided bool // nothing more is to be done
	out     reports.Outcome
}

// begin puts a test together. The error lists everything that does not fit.
func begin(t *testing.T, scenario string, with func(*settings) *scenarios.Code, opts []Option) (*tester, error) {
	k := &tester{t: t, set: settingsOf(opts), owner: ownerOf(t.Name())}
	sc := k.set.load(scenario)
	code := with(k.set)
	if sc != nil {
		code.Owner = k.owner.String()
		bound, err := sc.Bind(code)
		if err != nil {
			k.set.problem("%v", err)
		}
		k.sc = bound
	}
	if len(k.set.problems) > 0 {
		return nil, errors.New("twiceless: the test cannot be run:\n  " + strings.ReplaceAll(strings.Join(k.set.problems, "\n"), "\n", "\n  "))
	}
	promised := checker.Promised(k.sc.Stacks[0].Contract)
	k.promised = slices.Concat(promised, checker.Guaranteed())
	door := scenarios.DoorNative
	if code.Host != nil {
		door = scenarios.DoorHosted
	}
	k.out = reports.Outcome{Test: k.owner.Test, Package: k.owner.Package, Owner: k.owner.String(), Scenario: k.sc.Name, Stack: k.set.stack, Door: door,
		Promises: promised, Budget: k.set.budget.Plans, Searched: k.set.searched, Epoch: scenarios.Epoch, Again: commandOf(k.owner),
		Awaits: reports.Awaits{Least: k.set.cover}}
	return k, nil
}

// do is the test. The first part that finds something is the last.
func (k *tester) do() {
	defer k.expected()
	for _, part := range []func(){k.corpus, k.control, k.search, k.demands} {
		if part(); k.decided {
			return
		}
	}
}

// end decides the test.
func (k *tester) end(kind reports.OutcomeKind, format string, args ...any) {
	k.decided, k.out.Kind = true, kind
	k.out.Detail = fmt.Sprintf(format, args...)
}

// control does the run without faults. A stack that breaks there needs none, and every story about faults would be about
// nothing; and a promise that a whole run does not put to the test once is not tested by any.
func (k *tester) control() {
	k.out.Phase = reports.InControl
	h, err := scenarios.NewHunter(k.sc, k.set.stack, k.set.faults, 0, k.set.patience)
	crash, _ := errors.AsType[*scenarios.Crash](err)
	if err != nil && crash == nil {
		k.end(reports.Undecided, "%v", err)
		return
	}
	k.hunter, k.deaths = h, h.Deaths()
	c := h.Control()
	r := k.run(sited(c), &scenarios.Memory{})
	r.crash = cmp.Or(r.crash, crash)
	k.out.Runs += 2
	k.awaits(r)
	switch {
	case r.crash != nil:
		k.crashed(c, r.crash)
	case r.breach != nil:
		k.found(c, r.breach)
	case r.undecided != "":
		k.end(reports.Undecided, "without any fault: %s", r.undecided)
	case len(r.vacuous) > 0:
		k.end(reports.Vacuous, "the run without faults never puts it to the test: %s", strings.Join(r.vacuous, ", "))
	case len(h.Kinds()) == 0:
		k.end(reports.Vacuous, "none of the chosen faults can happen under stack %s", k.set.stack)
	}
}

// search does plans until one breaks the promise.
func (k *tester) search() {
	k.out.Phase = reports.InSearch
	done := k.plans()
	undecided, touched := -1, int64(0)
	for i := range done {
		r := &done[i]
		k.out.Plans, k.out.Plan, k.out.Seed = i+1, i+1, k.set.first+uint64(i)
		k.out.Runs += r.runs
		k.out.Twice += r.runs - 1
		k.awaits(r)
		k.accepted(r)
		touched += r.touched
		if r.bad() {
			k.failed(r)
			return
		}
		if r.undecided != "" && undecided < 0 {
			undecided = i
		}
	}
	k.out.Plan, k.out.Seed = 0, 0
	switch {
	case undecided >= 0:
		k.out.Plan, k.out.Seed = undecided+1, k.set.first+uint64(undecided)
		k.end(reports.Undecided, "%s", done[undecided].undecided)
	case touched == 0:
		k.end(reports.Vacuous, "no fault of %d plans touched work that was under way", len(done))
	}
}

// failed tells of the plan that fails.
func (k *tester) failed(r *ran) {
	switch {
	case r.err != nil:
		k.end(reports.Undecided, "%v", r.err)
	case r.crash != nil:
		k.crashed(r.c, r.crash)
	case r.drifted:
		k.drifted(r.c)
	default:
		k.found(r.c, r.breach)
	}
}

// demands is what is asked of a test that found nothing.
func (k *tester) demands() {
	if uncovered(&k.out.Awaits) {
		k.end(reports.Uncovered, "Cover(%d) is not met", k.set.cover)
		return
	}
	kind := reports.Passed
	if slices.ContainsFunc(k.out.Accepted, func(a reports.Acceptance) bool { return a.Met > 0 }) {
		kind = reports.PassedAccepted
	}
	k.end(kind, "")
}

func (k *tester) awaits(r *ran) {
	a := awaits{k.out.Awaits.Reached, k.out.Awaits.Killed}
	a.add(r.awaits)
	k.out.Awaits.Reached, k.out.Awaits.Killed = a.reached, a.killed
}
