package scenarios

import (
	"fmt"
	"slices"
	"time"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/sim/history"
)

// The statuses of a row that was verified.
const (
	StatusReproduced  = "reproduced"
	StatusMissing     = "missing"
	StatusNotModelled = "not-modelled"
)

// Verified is what became of one row.
type Verified struct {
	Failure *Failure
	Status  string
	Seeds   int    // runs of each sort
	Shows   int    // of the broken ones, how many showed the anomaly
	Anomaly string // the symptom that was seen most
	Reason  string // why it is missing or not modelled; "" = it is reproduced
	Case    *Case  // of the first run that showed it; nil = none did
}

// Verify runs a row: with the defect and the plan, with the fix and the plan, and with the defect without the plan (with
// the fix, if the load alone is the plan). seeds 0 = as many as the row says. Seeds count from 1. An error is a crash of the
// simulator.
func (f *Failure) Verify(seeds int, mem *Memory, patience time.Duration) (*Verified, error) {
	v := &Verified{Failure: f, Status: StatusNotModelled, Reason: f.Missing}
	if f.Missing != "" {
		return v, nil
	}
	if v.Seeds = seeds; seeds == 0 {
		v.Seeds = f.Seeds
	}
	trial := &trial{f, v.Seeds, mem, patience}
	reason, err := "", error(nil)
	if f.Control() {
		reason, err = trial.negative(v)
	} else {
		reason, err = trial.positive(v)
	}
	if v.Status, v.Reason = StatusReproduced, reason; reason != "" {
		v.Status = StatusMissing
	}
	return v, err
}

// trial is the runs of one row.
type trial struct {
	f        *Failure
	seeds    int
	mem      *Memory
	patience time.Duration
}

// shown is what the runs of one sort showed.
type shown struct {
	shows int            // runs with the anomaly
	by    map[string]int // symptom → runs; looked up and sorted
	first *Case          // the first of them
	met   int            // runs in which every fault of the plan was met
	there int            // of a negative control: runs in which there was something to flag
}

// positive demands the anomaly with the defect and its absence otherwise.
func (t *trial) positive(v *Verified) (reason string, err error) {
	broken, err := t.run(t.f.Broken, t.f.Plan)
	if err != nil {
		return "", err
	}
	v.Shows, v.Case, v.Anomaly = broken.shows, broken.first, broken.most()
	mended, err := t.run(t.f.Mended, t.f.Plan)
	if err != nil {
		return "", err
	}
	quiet := t.f.Broken
	if len(t.f.Plan) == 0 {
		quiet = t.f.Mended
	}
	control, err := t.run(quiet, nil)
	if err != nil {
		return "", err
	}
	switch {
	case broken.shows < min(t.f.Least, t.seeds):
		return fmt.Sprintf("the defect shows the anomaly in %d of %d seeds; at least %d", broken.shows, t.seeds, t.f.Least), nil
	case mended.shows > 0:
		return fmt.Sprintf("the fix does not help in %d of %d seeds: %s", mended.shows, t.seeds, mended.most()), nil
	case mended.met == 0 && t.f.Unmet == "":
		return "with the fix no run met every fault of the plan: nothing was tested", nil
	case control.shows > 0:
		return fmt.Sprintf("the control is not clean in %d of %d seeds: %s", control.shows, t.seeds, control.most()), nil
	}
	return "", nil
}

// negative demands that what looks like a failure comes to pass and is not flagged.
func (t *trial) negative(v *Verified) (reason string, err error) {
	runs, err := t.run(t.f.Broken, t.f.Plan)
	if err != nil {
		return "", err
	}
	v.Shows, v.Case = runs.shows, runs.first
	switch {
	case runs.shows > 0:
		return fmt.Sprintf("flagged in %d of %d seeds: %s", runs.shows, t.seeds, runs.most()), nil
	case runs.met == 0:
		return "no run met every fault of the plan: nothing was tested", nil
	case len(t.f.Shown) > 0 && runs.there == 0:
		return fmt.Sprintf("in %d seeds nothing came to pass that could have been flagged", t.seeds), nil
	}
	return "", nil
}

func (t *trial) run(sc *Scenario, plan []string) (s shown, err error) {
	s.by = map[string]int{}
	for seed := uint64(1); seed <= uint64(t.seeds); seed++ {
		c, err := t.f.kase(sc, plan, seed)
		if err != nil {
			return s, err
		}
		r, err := Supervise(c, t.mem, t.patience)
		if err != nil {
			return s, fmt.Errorf("%s seed %d: %w", t.f.ID, seed, err)
		}
		if why, bad := r.Failed(); bad {
			return s, fmt.Errorf("%s seed %d: %s", t.f.ID, seed, why)
		}
		t.count(&s, c, r)
	}
	return s, nil
}

// count adds one run.
func (t *trial) count(s *shown, c *Case, r *Result) {
	if !slices.ContainsFunc(r.History.Facts, func(f history.Fact) bool { return f.Kind == history.KindFaultMissed }) {
		s.met++
	}
	if slices.ContainsFunc(t.f.Shown, func(p history.Property) bool { return r.Verdicts.Seen[p] > 0 || r.Verdicts.Violations[p] > 0 }) {
		s.there++
	}
	seen := t.symptoms(r)
	for _, symptom := range seen {
		s.by[symptom]++
	}
	if len(seen) == 0 {
		return
	}
	if s.shows++; s.first == nil {
		c.Witness = r.Witness(c.Witness.Seed)
		t.expect(c, r)
		s.first = c
	}
}

// expect states in a case what its run shows: a finding, if the anomaly is one. What is only noted fails no replay.
func (t *trial) expect(c *Case, r *Result) {
	c.Intent.Expected = checker.Pass.String()
	for _, s := range t.f.Anomaly {
		for _, f := range r.Verdicts.Findings {
			if s.is(f) {
				c.Intent.Property, c.Intent.Fingerprint, c.Intent.Expected = string(f.Property), f.Fingerprint(), checker.Fail.String()
				return
			}
		}
	}
}

// symptoms are those of the row that a run shows, each once.
func (t *trial) symptoms(r *Result) (seen []string) {
	for _, s := range t.f.Anomaly {
		if t.shows(r, s) {
			seen = append(seen, s.String())
		}
	}
	return seen
}

// shows says whether a run shows a symptom. Where a promise or a guarantee is only noted, because what happened was allowed, a
// negative control has what it is there for, and nothing was flagged.
func (t *trial) shows(r *Result, s Symptom) bool {
	switch {
	case s.within(&r.Row), slices.ContainsFunc(r.Verdicts.Findings, s.is):
		return true
	case t.f.Control() && !noted(s.Property):
		return false
	}
	return s.Label == "" && r.Verdicts.Seen[s.Property] > 0 || slices.ContainsFunc(r.Verdicts.Samples, s.is)
}

// noted says whether a property is never more than noted.
func noted(p history.Property) bool {
	return slices.ContainsFunc(checker.Kinds(), func(k checker.Checker) bool {
		return k.Weight == history.Noted && slices.Contains(k.Properties, p)
	})
}

// most is the symptom that most runs showed; "" = none did.
func (s *shown) most() (name string) {
	for _, symptom := range SortedKeys(s.by) {
		if name == "" || s.by[symptom] > s.by[name] {
			name = symptom
		}
	}
	return name
}
