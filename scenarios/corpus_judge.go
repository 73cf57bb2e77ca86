package scenarios

import (
	"errors"
	"time"
)

// ErrNotDeterministic is two runs of one case that differ: a fault of the simulator, or of hosted code.
var ErrNotDeterministic = errors.New("two runs of this case differ")

// Judgement is what a saved case shows today.
type Judgement struct {
	Aim   Aim
	Stale bool     // the digest is not the case's: models have changed since it was recorded
	Now   *Case    // the case with the witness of its present run, whatever that shows
	Moved *Case    // where the finding is today, if the faults had to be placed anew; else nil
	Gone  []string // lines of the plan whose hooks are not passed
	Size  Size     // of Now
	Runs  int
}

// Shown is the case whose run shows the finding today; nil if none does.
func (j *Judgement) Shown() *Case {
	switch {
	case j.Aim != StillFails:
		return nil
	case j.Moved != nil:
		return j.Moved
	}
	return j.Now
}

// Judge does a saved case as it is, and a second time if it is stale. A stale one that no longer shows its finding is
// re-aimed, in at most DefaultReaimRuns placements; one that is not was re-aimed when its witness was taken. What does
// not end by the rules is an error of type *Crash.
func Judge(c *Case, patience time.Duration) (*Judgement, error) {
	plan, err := Plan(c)
	if err != nil {
		return nil, err
	}
	r, hits, err := observe(c, &Memory{}, patience)
	if err != nil {
		return nil, err
	}
	if why, bad := r.Failed(); bad {
		return nil, &Crash{How: "run", Detail: why}
	}
	k := candidateOf(c, plan)
	j := &Judgement{Now: recorded(c, r), Size: k.size(r.Row.Offered), Runs: 1}
	if j.Stale = j.Now.Witness.Digest != c.Witness.Digest; j.Stale {
		if err := j.again(patience); err != nil {
			return nil, err
		}
	}
	switch {
	case c.Intent.Fingerprint != "" && shows(r, c.Intent.Fingerprint):
		j.Aim = StillFails
	case c.Intent.Fingerprint != "" && j.Stale:
		return j, j.reaim(patience)
	default:
		j.Aim, j.Gone = Passes, notPassed(plan, hits)
		if len(j.Gone) > 0 {
			j.Aim = AnchorGone
		}
	}
	return j, nil
}

// again compares the present run with a second one: of a case that is not stale the recorded run is that.
func (j *Judgement) again(patience time.Duration) error {
	j.Runs++
	r, err := Supervise(j.Now, &Memory{}, patience)
	if err != nil {
		return err
	}
	if recorded(j.Now, r).Witness.Digest != j.Now.Witness.Digest {
		return ErrNotDeterministic
	}
	return nil
}

func (j *Judgement) reaim(patience time.Duration) error {
	re, err := Reaim(j.Now, DefaultReaimRuns, patience)
	if err != nil {
		return err
	}
	j.Aim, j.Gone, j.Runs = re.Aim, re.Gone, j.Runs+re.Runs
	if re.Moved {
		j.Moved = re.Case
	}
	return nil
}
