package scenarios

import (
	"fmt"
	"slices"
)

// Judged is a saved case with what it shows today.
type Judged struct {
	Saved
	*Judgement // nil = nobody could run it here
}

// Decision says what pruning does with a case.
type Decision struct {
	Drop bool
	Why  string
}

// Prune decides which of some judged cases a corpus can do without. For that they should be all of it, or all that share
// a finding. Three kinds go: copies, cases that pass with their anchors hit, and cases whose finding another one that
// stays shows with fewer faults or events and more of neither. So what still fails is never without a case, and two
// cases of which neither is the smaller one are two stories.
func Prune(judged []Judged) []Decision {
	out := make([]Decision, len(judged))
	for i := range judged {
		if j, o := &judged[i], original(&judged[i], judged); o != j {
			out[i] = Decision{true, "a copy of " + o.File}
		} else {
			out[i] = decide(j, judged)
		}
	}
	return out
}

// original is the first of the files of one intent. Their seeds may differ, and with them what they show: one that fails is
// no copy of one that does not.
func original(j *Judged, all []Judged) *Judged {
	return &all[slices.IndexFunc(all, func(o Judged) bool {
		return o.Name == j.Name && o.fails() == j.fails() && (o.Judgement == nil) == (j.Judgement == nil)
	})]
}

func (j *Judged) fails() bool { return j.Judgement != nil && j.Aim == StillFails }

func decide(j *Judged, all []Judged) Decision {
	switch {
	case j.Judgement == nil:
		return Decision{false, "it cannot be run here"}
	case j.Aim == AnchorGone:
		return Decision{false, AnchorGone.String() + ", so that nothing was tested"}
	case j.Aim == Passes:
		return Decision{true, "it " + Passes.String()}
	}
	alone := true
	for i := range all {
		o := &all[i]
		if o.Name == j.Name || !o.sameFinding(j) || !o.fails() || original(o, all) != o {
			continue
		}
		alone = false
		if o.Moved == nil && o.Size.below(j.Size) {
			return Decision{true, fmt.Sprintf("%s shows the same finding with %s", o.Name, o.Size.words())}
		}
	}
	if alone {
		return Decision{false, "nothing else shows its finding"}
	}
	return Decision{false, "nothing smaller shows its finding"}
}

// sameFinding says whether two cases tell of one weakness: by the fingerprint, in one stack of one scenario. A world
// with a planted bug is another one.
func (s *Saved) sameFinding(j *Judged) bool {
	a, b := &s.Case.Intent, &j.Case.Intent
	return a.Fingerprint == b.Fingerprint && a.Property == b.Property && a.Stack == b.Stack && a.Owner == b.Owner &&
		a.Scenario.Name == b.Scenario.Name && slices.Equal(a.Planted, b.Planted)
}

// below orders sizes by what makes a story long. It is a partial order: one fault in ten events is not below two faults
// in one event. What is below everything else that shows a finding always stays, so that a finding keeps a case.
func (z Size) below(other Size) bool {
	return z.Faults <= other.Faults && z.Events <= other.Events && (z.Faults < other.Faults || z.Events < other.Events)
}

// words names the two numbers of below.
func (z Size) words() string {
	number := func(n int64, noun string) string {
		if n != 1 {
			noun += "s"
		}
		return fmt.Sprintf("%d %s", n, noun)
	}
	return number(int64(z.Faults), "fault") + " and " + number(z.Events, "event")
}
