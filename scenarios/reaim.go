package scenarios

import (
	"cmp"
	"slices"
	"time"

	"github.com/twiceless/twiceless/faults"
)

// Aim is what became of a case after a model has changed.
type Aim uint8

// The outcomes of Reaim.
const (
	StillFails Aim = iota // its finding is there, by its own anchors or near them
	Passes                // its faults took effect where they were aimed, and the finding is gone
	AnchorGone            // a hook that a fault waits for is not passed any more, so that nothing was tested
)

// String is a phrase for people.
func (a Aim) String() string {
	return [...]string{"still fails", "passes, with its anchors hit", "an anchor is gone"}[a]
}

// Reaimed is the answer of Reaim.
type Reaimed struct {
	Aim   Aim
	Case  *Case    // that fails now, with the witness of its run; nil unless Aim is StillFails
	Moved bool     // Case is not the given intent: its faults had to be placed anew
	Gone  []string // lines of the plan whose hooks are not passed
	Runs  int
}

// DefaultReaimRuns is how many placements are tried unless told otherwise.
const DefaultReaimRuns = 64

// Reaim does a case that may be stale: first as it is, by its anchors; then, if the finding is gone, with its faults
// at the hooks near these anchors, the nearest first, in at most so many runs; 0 = DefaultReaimRuns.
func Reaim(c *Case, runs int, patience time.Duration) (*Reaimed, error) {
	if c.Intent.Fingerprint == "" {
		return nil, ErrNoFinding
	}
	plan, err := Plan(c)
	if err != nil {
		return nil, err
	}
	if runs <= 0 {
		runs = DefaultReaimRuns
	}
	s := &reaimer{c: c, plan: plan, mem: &Memory{}, patience: patience}
	hits, err := s.asItIs()
	if err != nil || s.out.Case != nil {
		return &s.out, err
	}
	return s.near(hits, runs)
}

type reaimer struct {
	c        *Case
	plan     []faults.Fault
	victims  []string // by fault: whom it means where its target takes no part in a hit
	mem      *Memory
	patience time.Duration
	out      Reaimed
}

// asItIs does the case by its own anchors, and if that shows nothing, without any fault: for the hooks that there
// are to aim at.
func (s *reaimer) asItIs() ([]faults.ObservedHit, error) {
	r, hits, err := observe(s.c, s.mem, s.patience)
	if err != nil || s.judge(s.c, r) {
		return nil, err
	}
	s.out.Gone = notPassed(s.plan, hits)
	for _, f := range s.plan {
		s.victims = append(s.victims, cmp.Or(struck(r.History, f), "consumer-1"))
	}
	bare := s.withPlan(nil)
	r, hits, err = observe(bare, s.mem, s.patience)
	if err == nil {
		s.out.Moved = s.judge(bare, r)
	}
	return keyed(hits), err
}

// notPassed lists the faults that wait for a hook which is not among the hits.
func notPassed(plan []faults.Fault, hits []faults.ObservedHit) (gone []string) {
	for _, f := range plan {
		if !f.Trigger.Timed() && !slices.ContainsFunc(hits, f.Trigger.Matches) {
			gone = append(gone, f.String())
		}
	}
	return gone
}

// withPlan is the case with other faults.
func (s *reaimer) withPlan(plan []faults.Fault) *Case {
	c := *s.c
	c.Intent.Plan, c.Intent.PlanType, c.Intent.Fault = faults.Lines(plan), PlanHunting, faults.KindOf(plan)
	return &c
}

// judge makes a run that shows the finding the answer.
func (s *reaimer) judge(c *Case, r *Result) bool {
	s.out.Runs++
	if !shows(r, c.Intent.Fingerprint) {
		return false
	}
	s.out.Aim, s.out.Case = StillFails, recorded(c, r)
	return true
}

// recorded is a case with the witness of its run.
func recorded(c *Case, r *Result) *Case {
	out := *c
	out.Witness = r.Witness(c.Witness.Seed)
	out.Witness.Shrunk = c.Witness.Shrunk
	return &out
}

// near tries placements in the order of their distance: one fault moves while the others stay, then two move.
func (s *reaimer) near(hits []faults.ObservedHit, runs int) (*Reaimed, error) {
	var orders [][]faults.Fault // by fault: itself, then at the hits from the nearest on
	for i, f := range s.plan {
		orders = append(orders, neighbours(f, hits, s.victims[i]))
	}
	s.out.Aim = Passes
	if len(s.out.Gone) > 0 {
		s.out.Aim = AnchorGone
	}
	for distance := 1; ; distance++ {
		plans := placements(s.plan, orders, distance)
		if len(plans) == 0 {
			return &s.out, nil
		}
		for _, plan := range plans {
			if runs--; runs < 0 {
				return &s.out, nil
			}
			moved := s.withPlan(plan)
			r, err := Supervise(moved, s.mem, s.patience)
			if err != nil {
				return nil, err
			}
			if s.judge(moved, r) {
				s.out.Moved = true
				return &s.out, nil
			}
		}
	}
}

// neighbours are a fault and the same fault at the hits: those of its event first, the nearest to its anchor before
// the others, or if the anchor is gone, those of its stage. A timed fault has the nearest in time first.
func neighbours(f faults.Fault, hits []faults.ObservedHit, victim string) []faults.Fault {
	at := slices.IndexFunc(hits, f.Trigger.Matches)
	far := func(i int) int64 {
		switch {
		case f.Trigger.Timed():
			return max(hits[i].At-f.Trigger.At, f.Trigger.At-hits[i].At)
		case hits[i].Event != f.Trigger.Event:
			return int64(len(hits))
		case at >= 0:
			return int64(max(i-at, at-i))
		case hits[i].Stage != f.Trigger.Stage:
			return 1
		}
		return 0
	}
	order := make([]int, len(hits))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(far(a), far(b)) })
	out := []faults.Fault{f}
	for _, i := range order {
		if moved := faults.Place(f, hits[i], victim); !moved.Equal(f) {
			out = append(out, moved)
		}
	}
	return out
}

// placements are the plans in which the distances of the moved faults add up to that much.
func placements(plan []faults.Fault, orders [][]faults.Fault, distance int) (out [][]faults.Fault) {
	for i := range plan {
		if distance < len(orders[i]) {
			moved := slices.Clone(plan)
			moved[i] = orders[i][distance]
			out = append(out, moved)
		}
		for j := range i {
			for d := 1; d < distance; d++ {
				if d < len(orders[i]) && distance-d < len(orders[j]) {
					moved := slices.Clone(plan)
					moved[i], moved[j] = orders[i][d], orders[j][distance-d]
					out = append(out, moved)
				}
			}
		}
	}
	return out
}
