package twiceless

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// corpusDir is where a package keeps its cases: a directory for each scenario.
const corpusDir = "testdata/twiceless"

// saved is a case with its file.
type saved struct {
	file string
	c    *scenarios.Case
}

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

// cases of this test, by file.
func (k *tester) cases() ([]saved, error) {
	if k.set.only != "" {
		s, err := readSaved(k.set.only)
		return []saved{s}, err
	}
	files, _ := filepath.Glob(filepath.Join(corpusDir, k.sc.Name, "*.case")) // sorted; the pattern is well-formed
	var out []saved
	var bad []error
	for _, file := range files {
		s, err := readSaved(file)
		if err != nil {
			bad = append(bad, err)
		} else if s.c.Intent.Owner == k.owner.String() {
			out = append(out, s)
		}
	}
	return out, errors.Join(bad...)
}

func readSaved(file string) (saved, error) {
	src, err := os.ReadFile(file) //nolint:gosec // a file of the test's own
	if err != nil {
		return saved{}, err
	}
	c, err := scenarios.DecodeCase(file, src)
	return saved{file, c}, err
}

// ownsOnly says whether the one case that is to be done is of this test. What cannot be read is told by whoever does it.
func (k *tester) ownsOnly() bool {
	s, err := readSaved(k.set.only)
	return err != nil || s.c.Intent.Owner == k.owner.String()
}

// again does a saved case.
func (k *tester) again(s saved) {
	sc, err := s.c.Intent.Scenario.Bind(k.sc.Bound())
	if err != nil {
		k.end(reports.Undecided, "%s does not fit the code any more: %v", s.file, err)
		return
	}
	c := s.c
	c.Intent.Scenario = sc
	re, err := scenarios.Reaim(c, 0, k.set.patience)
	crash, _ := errors.AsType[*scenarios.Crash](err)
	switch {
	case crash != nil:
		k.out.Case = s.file
		k.crashed(c, crash)
	case err != nil:
		k.end(reports.Undecided, "%s: %v", s.file, err)
	case re.Aim == scenarios.StillFails && !k.accepts(c.Intent.Fingerprint):
		k.out.Runs += re.Runs
		k.out.Case = s.file
		k.retell(re.Case)
	case re.Aim == scenarios.StillFails:
		k.acceptedCase(c.Intent.Fingerprint, s.file)
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

// addCase writes a case of this package, in one step, and returns its file.
func addCase(c *scenarios.Case) (string, error) {
	dir := filepath.Join(corpusDir, c.Intent.Scenario.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // as git makes directories
		return "", err
	}
	file := filepath.Join(dir, c.Name()+".case")
	tmp, err := os.CreateTemp(dir, "."+c.Name()+".*")
	if err != nil {
		return "", err
	}
	_, err = tmp.Write(c.Encode())
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
		return "", fmt.Errorf("%s: %w", file, err)
	}
	return file, nil
}
