package twiceless

import (
	"cmp"
	"errors"
	"os"
	"slices"

	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// corpus does the saved cases of this test again. One whose finding is there fails the test at once; one that is stale is
// aimed anew, so that a case stays worth something when code moves.
func (k *tester) corpus() {
	k.out.Phase = reports.InCorpus
	cases, err := k.cases()
	if err != nil {
		k.end(reports.Undecided, "%v", err)
		return
	}
	for _, s := range cases {
		if k.again(s); k.decided {
			return
		}
	}
	if k.set.only != "" {
		k.out.Case = k.set.only
		k.end(reports.Passed, "the case does not show its finding any more")
	}
}

// cases of this test.
func (k *tester) cases() ([]scenarios.Saved, error) {
	if k.set.only != "" {
		s, err := readSaved(k.set.only)
		return []scenarios.Saved{s}, err
	}
	saved, err := scenarios.OpenCorpus(scenarios.DefaultCorpus)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(saved.Cases(), func(s scenarios.Saved) bool { return s.Case.Intent.Owner != k.owner.String() }), nil
}

func readSaved(file string) (scenarios.Saved, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return scenarios.Saved{}, err
	}
	c, err := scenarios.DecodeCase(file, src)
	return scenarios.Saved{File: file, Case: c}, err
}

// ownsOnly says whether the one case that is to be done is of this test. What cannot be read is told by whoever does it.
func (k *tester) ownsOnly() bool {
	s, err := readSaved(k.set.only)
	return err != nil || s.Case.Intent.Owner == k.owner.String()
}

// again does a saved case.
func (k *tester) again(s scenarios.Saved) {
	sc, err := s.Case.Intent.Scenario.Bind(k.sc.Bound())
	if err != nil {
		k.end(reports.Undecided, "%s does not fit the code any more: %v", s.File, err)
		return
	}
	c := s.Case
	c.Intent.Scenario = sc
	re, err := scenarios.Reaim(c, 0, k.set.patience)
	crash, _ := errors.AsType[*scenarios.Crash](err)
	switch {
	case crash != nil:
		k.out.Case = s.File
		k.crashed(c, crash)
	case err != nil:
		k.end(reports.Undecided, "%s: %v", s.File, err)
	case re.Aim == scenarios.StillFails && !k.accepts(c.Intent.Fingerprint):
		k.out.Runs += re.Runs
		k.out.Case = s.File
		k.retell(re.Case)
	case re.Aim == scenarios.StillFails:
		k.acceptedCase(c.Intent.Fingerprint, s.File)
	default:
		k.out.Runs += re.Runs
	}
}

// acceptedCase notes that a saved case shows what is accepted.
func (k *tester) acceptedCase(fingerprint, file string) {
	for _, a := range k.set.accepted {
		if a.Covers(k.set.stack, fingerprint) {
			line := k.acceptance(a)
			line.Met++
			line.Case = cmp.Or(line.Case, file)
		}
	}
}

// retell tells the story of a saved case, which is small already.
func (k *tester) retell(c *scenarios.Case) {
	k.out.Seed, k.out.Faults, k.out.Fingerprint = c.Witness.Seed, c.Intent.Plan, c.Intent.Fingerprint
	k.ended(c.Intent.Fingerprint)
	kind := reports.Broke
	if c.Intent.Property == string(history.PropHarness) {
		kind = reports.Crashed
	}
	k.end(kind, "")
	if from := c.Witness.Shrunk; from != nil {
		k.out.From = reports.OutcomeSize{Faults: from.Faults, Events: from.Events}
		k.out.To = reports.OutcomeSize{Faults: len(c.Intent.Plan)}
	}
	k.show(c)
	if k.out.To.Events == 0 && k.out.History != nil {
		k.out.To.Events = offered(k.out.History)
	}
	if kind == reports.Broke {
		k.remedies(c)
	}
}

func offered(h *history.History) (n int64) {
	for i := range h.Facts {
		if h.Facts[i].Kind == history.KindOffered {
			n++
		}
	}
	return n
}

// addCase keeps a case in the corpus of the test's package and returns its file.
func addCase(c *scenarios.Case) (string, error) {
	saved, err := scenarios.OpenCorpus(scenarios.DefaultCorpus)
	if err != nil {
		return "", err
	}
	file, _, err := saved.Add(c)
	return file, err
}
