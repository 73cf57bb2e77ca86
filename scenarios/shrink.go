package scenarios

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/sim/history"
)

// DefaultShrinkRuns is how many runs shrinking may take unless told otherwise.
const DefaultShrinkRuns = 500

// What keeps a case from being shrunk.
var (
	ErrNoFinding   = errors.New("the case names no finding, so that there is nothing to keep")
	ErrFindingGone = errors.New("the case no longer shows its finding")
)

// ShrinkOptions bound the search.
type ShrinkOptions struct {
	Runs     int           // most runs, those that prove the result among them; 0 = DefaultShrinkRuns
	Patience time.Duration // for one run; 0 waits for ever
}

// Shrunk is the smallest case that was found.
type Shrunk struct {
	Case     *Case
	Proof    *Replayed // two runs of Case on fresh memory; the case is their record
	From, To Size      // From is the size of the very first case if Case had been shrunk before
	Runs     int       // done in all
	RanOut   bool      // the budget or the context ended the search; more runs might make the case smaller
}

// Size is what shrinking makes smaller. No step makes any of its numbers larger.
type Size struct {
	Faults     int
	Events     int64 // offered
	Members    int
	Partitions int   // of the workload's topic
	Lasts      int64 // ns; stated durations of the faults, waits of deploys, and sizes of skews; "until heal" counts as the chaos phase
	Chaos      int64 // ns
}

// Shrink makes a case smaller while its run still shows a finding of the same fingerprint: fewer faults, events,
// members and partitions, shorter faults, hooks in place of times. It depends on the case and the number of runs
// only, so it gives the same bytes on every machine, unless ctx ends it early.
//
// What makes big steps possible: draws are keyed, so removing events changes no draw of the rest, and a fault at a
// hook of an event stays with it wherever its time moves. So the first step keeps the events of one finding only
// and ties the faults to the hooks nearest to where they fell; most cases are almost minimal then.
func Shrink(ctx context.Context, c *Case, opt ShrinkOptions) (*Shrunk, error) {
	if c.Intent.Fingerprint == "" {
		return nil, ErrNoFinding
	}
	plan, err := Plan(c)
	if err != nil {
		return nil, err
	}
	if opt.Runs <= 0 {
		opt.Runs = DefaultShrinkRuns
	}
	s := &shrinker{ctx: ctx, from: c, opt: opt, mem: &Memory{}, tried: map[string]bool{c.Name(): true}, now: candidateOf(c, plan)}
	if err := s.first(); err != nil {
		return nil, err
	}
	from := s.now.size(s.seen.offered)
	s.reduce()
	return s.prove(from)
}

// shrinker holds the smallest case so far.
type shrinker struct {
	ctx     context.Context
	from    *Case
	opt     ShrinkOptions
	mem     *Memory
	now     candidate
	seen    *sight          // of now; nil = not looked at
	tried   map[string]bool // names of cases that were run; looked up only
	runs    int
	steps   int  // that made it smaller
	outside bool // the run of the given case lies outside the envelope
}

// candidate is what may be made smaller of a case.
type candidate struct {
	plan                []faults.Fault
	events              []string // kept; nil = all
	members, partitions int
	chaos               int64
}

func candidateOf(c *Case, plan []faults.Fault) candidate {
	in := &c.Intent
	sc, r := in.Scenario, in.Reductions
	k := candidate{plan: plan, members: r.members(sc.Consumers.Members), chaos: sc.Phases.Chaos,
		partitions: r.partitions(sc.Workload.Topic, sc.Broker.Topics[sc.Workload.Topic].Partitions)}
	if r != nil {
		k.events = r.KeepEvents
	}
	return k
}

// caseOf is the case of a candidate, with the witness of the given one.
func (s *shrinker) caseOf(k *candidate) *Case {
	c := *s.from
	in := &c.Intent
	in.Plan = faults.Lines(k.plan)
	in.Reductions = reductionsOf(k.events, k.members, k.partitions, in.Scenario)
	if k.chaos != in.Scenario.Phases.Chaos {
		sc := *in.Scenario
		sc.Phases.Chaos = k.chaos
		in.Scenario = &sc
	}
	if reflect.DeepEqual(*in, s.from.Intent) {
		return &c
	}
	in.PlanType, in.Fault = PlanHunting, faults.KindOf(k.plan) // what was chosen by its outcome measures nothing
	return &c
}

// affords says whether another run fits the budget: two are kept for the proof.
func (s *shrinker) affords() bool { return s.runs+2 < s.opt.Runs && s.ctx.Err() == nil }

// try makes a candidate the smallest case if its run shows the finding. A run that ends outside the rules, or is
// not what was promised when the given case was, does not.
func (s *shrinker) try(k candidate) bool {
	c := s.caseOf(&k)
	name := c.Name()
	if s.tried[name] || !s.affords() {
		return false
	}
	s.tried[name] = true
	s.runs++
	r, err := Supervise(c, s.mem, s.opt.Patience)
	if err != nil {
		s.mem = &Memory{} // an abandoned run may still use the old one
		return false
	}
	if r.Row.Outside && !s.outside || !shows(r, c.Intent.Fingerprint) {
		return false
	}
	s.now, s.seen = k, nil
	s.steps++
	return true
}

// shows says whether a run has a finding of that fingerprint, or ended in a crash of it.
func shows(r *Result, fingerprint string) bool {
	if crash := r.Crash(); crash != nil {
		return crash.Fingerprint() == fingerprint
	}
	return slices.ContainsFunc(r.Verdicts.Findings, func(f history.Finding) bool { return f.Fingerprint() == fingerprint })
}

// prove does the smallest case twice on fresh memory and makes its file.
func (s *shrinker) prove(from Size) (*Shrunk, error) {
	c := s.caseOf(&s.now)
	twice, err := Replay(c, s.opt.Patience)
	if err != nil {
		return nil, err
	}
	offered := twice.First.Row.Offered
	c.Witness = twice.First.Witness(c.Witness.Seed)
	c.Witness.Shrunk = &Origin{Case: s.from.Name(), Faults: from.Faults, Events: from.Events}
	if before := s.from.Witness.Shrunk; before != nil {
		o := *before
		c.Witness.Shrunk = &o
		from.Faults, from.Events = o.Faults, o.Events
	}
	twice.Fresh = true
	return &Shrunk{Case: c, Proof: twice, From: from, To: s.now.size(offered), Runs: s.runs + 2, RanOut: !s.affords()}, nil
}

// size of a candidate whose run offered so many events.
func (k *candidate) size(offered int64) Size {
	z := Size{Faults: len(k.plan), Events: offered, Members: k.members, Partitions: k.partitions, Chaos: k.chaos}
	for _, f := range k.plan {
		z.Lasts += lengthOf(f, k.chaos) + max(f.By, -f.By) + f.Grace + f.Pause
	}
	return z
}

// lengthOf a fault, ns.
func lengthOf(f faults.Fault, chaos int64) int64 {
	if f.UntilHeal {
		return chaos
	}
	return f.For
}
